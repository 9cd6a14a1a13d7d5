"""Every Python process of a run writes its stacks to a file when asked by SIGUSR1: where it hangs, if it does."""

import faulthandler
import os
import signal

_trace = open(os.environ["DEVICEFARM_TEST_TRACE"], "a")  # noqa: SIM115, PTH123 - open until the process ends
faulthandler.register(signal.SIGUSR1, file=_trace, all_threads=True)
