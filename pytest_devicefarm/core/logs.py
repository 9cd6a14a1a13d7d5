"""Keeps secrets out of what the HTTP libraries log when somebody asks them to be chatty."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from pytest_devicefarm.core.redaction import redact
from pytest_devicefarm.core.settings import Secret

CHATTY = (
    "requests",
    "selenium.webdriver.remote.remote_connection",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.util.retry",
)
"""Loggers that write addresses with their query, bodies and headers."""

_LOCK = threading.Lock()


def keep_out_of_logs(secrets: Iterable[Secret]) -> None:
    """Hide these secrets, and signatures and tokens of any kind, in the logs of the HTTP libraries from now on.

    For the rest of the process: a record may be written after the connection it speaks of was closed, and taking a
    filter away while another thread logs can skip the next one.
    """
    with _LOCK:
        for name in CHATTY:
            logger = logging.getLogger(name)
            redactor = next((one for one in logger.filters if isinstance(one, _Redactor)), None)
            if redactor is None:
                redactor = _Redactor()
                logger.addFilter(redactor)
            redactor.secrets |= set(secrets)


class _Redactor(logging.Filter):
    """Rewrites what holds a secret, and lets everything pass."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: frozenset[Secret] = frozenset()

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        text = record.getMessage()
        clean = redact(text, self.secrets)
        if clean != text:
            record.msg, record.args = clean, ()
        return True
