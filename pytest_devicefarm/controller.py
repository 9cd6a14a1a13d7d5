"""The process that sees the whole run: the only one, or xdist's controller.

It hears what the processes of the tests tell, guards what they have at the farm, collects artifacts, and has the last
word: summary, exit status, and nothing left behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devicefarm.core.errors import DeviceFarmError

if TYPE_CHECKING:
    from pytest_devicefarm.core.guardian import Guardian
    from pytest_devicefarm.core.model import Artifact
    from pytest_devicefarm.interrupts import Interrupts
    from pytest_devicefarm.reports.artifacts import SessionJob
    from pytest_devicefarm.reports.collector import Collector
    from pytest_devicefarm.run import FarmRun

INFRASTRUCTURE_FAILED = 75
"""Exit status of a run in which nothing failed but the farm; the number that sendmail's EX_TEMPFAIL made usual."""

FORWARD_SECONDS = 0.15
"""How long after a signal it is passed on to workers. Two signals at once can leave a blocked read uninterrupted."""

SWEEP_SECONDS = 4.0
INTERRUPTED_WAIT = 5.0
"""Longest wait for late artifacts after a signal, seconds."""

WORKER_INPUT = "devicefarm"


class Controller:
    """Registered in every process but workers."""

    def __init__(self, config: pytest.Config, run: FarmRun, interrupts: Interrupts) -> None:
        self._config = config
        self._run = run
        self._interrupts = interrupts
        self._guardian: Guardian | None = None
        self._collector: Collector | None = None
        self._results: list[tuple[SessionJob, list[Artifact]]] = []
        self._usage_error = ""
        self._selected: Mapping[str, Any] | None = None
        self._problems: list[str] = []
        self._infrastructure: dict[str, str] = {}
        self._failed = 0
        self._workers: dict[Any, int] = {}
        self._down: set[Any] = set()
        self._record: Mapping[str, Any] = {}
        self._said = threading.Lock()

    # what processes of tests tell

    def handle(self, message: Mapping[str, Any], node: Any = None) -> None:
        """Take a message: plain data, ``kind`` says what it is. Called in xdist's receiving thread for workers."""
        match message["kind"]:
            case "pid":
                self._workers[node] = message["pid"]
            case "usage-error":
                self._usage_error = message["text"]
                if node is None:
                    raise pytest.UsageError(self._usage_error)
            case "selected":
                self._selected = message
            case "problem":
                self._problems.append(message["text"])
            case "line":
                self._show(message["text"], always=message.get("always", False))
            case "progress":
                self._show_progress(message)

    def guard(self) -> None:
        """Start the guardian, once; from now on the run may die at any moment without leaving anything behind."""
        if self._guardian is None:
            from pytest_devicefarm.core.guardian import Guardian

            self._guardian = Guardian.start(
                self._run.settings, self._run.spec.factory, self._run.state, self._run.shared.run
            )
            self._interrupts.wake(self._guardian.wakeup_fd)

    def forward_later(self) -> None:
        """Pass a signal on to workers, a moment later; called in a signal handler."""
        if self._workers:
            timer = threading.Timer(FORWARD_SECONDS, self._stop_workers)
            timer.daemon = True
            timer.start()

    # xdist

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what every process of the run has to agree on, and give it a way to talk."""
        if self._run.options.farm_simulate:
            try:
                self._run.start_simulator()
            except DeviceFarmError as error:
                raise pytest.UsageError(str(error)) from None
        channel = node.gateway.newchannel()
        channel.setcallback(lambda message: self.handle(message, node))
        node.workerinput[WORKER_INPUT] = {"shared": self._run.shared.to_plain(), "channel": channel}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """A worker has told what it found before it told xdist; act on it in the main thread."""
        if self._usage_error:
            raise pytest.UsageError(self._usage_error)
        if self._selected is not None and self._guardian is None:
            self.guard()
            self._show(self._selection(self._selected), always=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """End what a worker that died left at the farm, before another worker takes its device."""
        self._down.add(node)
        if error is not None:
            self._sweep()

    # reports

    def pytest_report_header(self) -> list[str]:
        """Which farm, where, and which state folder."""
        options = self._run.options
        where = "built-in simulator" if options.farm_simulate else options.farm_url or ""
        return [f"device farm: {options.farm}{f' ({where})' if where else ''}, state folder {self._run.state}"]

    def pytest_report_collectionfinish(self) -> list[str]:
        """How many devices there are for the tests."""
        return [f"device farm: {self._selection(self._selected)}"] if self._selected is not None else []

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """A try that will be repeated is neither passed nor failed."""
        if getattr(report, "devicefarm_repeated", False):
            return "repeated", "R", "REPEATED"
        return None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected is not the farm's fault either."""
        self._failed += report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Hand sessions to the collector, and count what failed for the farm's sake."""
        problem = getattr(report, "devicefarm_infrastructure", "")
        if problem:
            self._infrastructure[report.nodeid] = problem
        if report.failed and not problem:
            self._failed += 1
        if report.when == "teardown":
            for plain in getattr(report, "devicefarm_sessions", ()):
                self._collect(plain)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Collect what is still to come before reports are written; then settle the exit status."""
        if self._interrupts.count or session.exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR):
            self._stop_workers()
        with self._interrupts.absorb():
            self._forget_run()
            self._join()
        result = yield
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED and self._infrastructure and not self._failed:
            session.exitstatus = INFRASTRUCTURE_FAILED
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The device farm's section."""
        lines = self._summary()
        if lines:
            terminalreporter.section("device farm")
            for line in lines:
                terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Leave nothing: what is in the journal still is ended now, and if that fails the guardian tries once more."""
        with self._interrupts.absorb(), contextlib.ExitStack() as steps:
            steps.callback(self._run.close)
            steps.callback(self._forget_simulated)
            steps.callback(self._forget_run)
            steps.callback(self._stop_simulator)
            steps.callback(self._dismiss)
            steps.callback(self._interrupts.uninstall)
            if self._guardian is not None:
                self._sweep(everything=True)

    # inside

    def _join(self) -> None:
        """Wait for late artifacts, and hand each to the reports; another signal ends the waiting."""
        if self._collector is None:
            return
        before = self._interrupts.count
        wait = self._run.options.farm_artifact_wait
        if before:
            # Whoever sent the signal kills us soon, and the reports are not written yet.
            wait = min(wait, INTERRUPTED_WAIT)
        self._results = self._collector.join(wait, stop=lambda: self._interrupts.count > before)
        for job, artifacts in self._results:
            for artifact in artifacts:
                self._config.hook.pytest_devicefarm_attach(config=self._config, test=job.test, artifact=artifact)

    def _collect(self, plain: Mapping[str, Any]) -> None:
        from pytest_devicefarm.reports.artifacts import SessionJob
        from pytest_devicefarm.reports.collector import Collector

        if self._collector is None:
            self._collector = Collector(
                lambda: self._run.spec.open(self._run.settings, clock=self._run.clock),
                self._run.output,
                wait=self._run.options.farm_artifact_wait,
                clock=self._run.clock,
                poll_seconds=self._run.poll_seconds,
                say=lambda text: self._show(text, always=True),
            )
        job = SessionJob.from_plain(plain)
        self._collector.add(replace(job, live=(*job.live, *self._artifacts_of_others(job))))

    def _artifacts_of_others(self, job: SessionJob) -> list[Artifact]:
        """What `pytest_devicefarm_artifacts` hooks give; a flaw in one of them costs nothing but its artifacts."""
        try:
            given = self._config.hook.pytest_devicefarm_artifacts(test=job.test, session=job.session)
        except Exception as error:
            self._problems.append(f"pytest_devicefarm_artifacts: {type(error).__name__}: {error}")
            return []
        return [artifact for some in given for artifact in some]

    def _stop_workers(self) -> None:
        for node, pid in list(self._workers.items()):
            if node not in self._down:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM)

    def _sweep(self, *, everything: bool = False) -> None:
        """End what this run's journal lists and nobody alive owns; at the end, everything of this run."""
        from pytest_devicefarm.core.journal import orphans
        from pytest_devicefarm.core.reaping import reap, tidy

        state, run = self._run.state, self._run.shared.run
        if everything:
            self._run.owner.release()
            tidy(state, clock=self._run.clock)
        left = [entry for entry in orphans(state, clock=self._run.clock) if entry.run == run]
        if not left:
            return
        try:
            report = reap(self._run.farm, state, left, clock=self._run.clock, deadline=SWEEP_SECONDS)
        except DeviceFarmError as error:
            self._problems.append(str(error))
        else:
            self._problems += [f"{entry} is still there: {reason}" for entry, reason in report.kept]

    def _dismiss(self) -> None:
        """Let the guardian go if nothing is left; otherwise it goes on without us."""
        from pytest_devicefarm.core.journal import journal_entries

        if self._guardian is None:
            return
        if any(entry.run == self._run.shared.run for entry in journal_entries(self._run.state)):
            self._guardian.leave()
        else:
            self._guardian.stop()

    def _stop_simulator(self) -> None:
        if self._run.simulated is not None:
            self._run.simulated.stop()

    def _forget_run(self) -> None:
        """Remove what only the tests of this run needed."""
        shutil.rmtree(self._run.state / "runs" / self._run.shared.run, ignore_errors=True)

    def _forget_simulated(self) -> None:
        if self._run.options.farm_simulate and not self._run.options.farm_state:
            shutil.rmtree(self._run.state, ignore_errors=True)

    def _selection(self, selected: Mapping[str, Any]) -> str:
        apps = ", ".join(os.path.basename(text) for text in self._run.options.farm_app)  # noqa: PTH119 - may be a reference
        devices, tests = selected["matching"], selected["tests"]
        found = "its devices could not be listed" if devices is None else f"{devices} device{'s' * (devices != 1)}"
        return f"{found} for {tests} test{'s' * (tests != 1)}" + (f", app {apps}" if apps else "")

    def _summary(self) -> list[str]:
        from pytest_devicefarm.core.redaction import visible
        from pytest_devicefarm.reports.terminal import summary_lines

        lines = summary_lines(self._results, folder=self._run.output.path)
        told = "\n".join(lines)
        more = [f"  {nodeid}: {text}" for nodeid, text in self._infrastructure.items() if nodeid not in told]
        if more:
            lines += ["infrastructure problems:", *(visible(line) for entry in more for line in entry.splitlines())]
        if self._problems:
            lines += ["problems while giving back:", *(f"  {visible(text)}" for text in self._problems)]
        if self._run.simulated is not None:
            lines.append(_simulator_line(self._run.simulated.record()))
        return lines

    def _show(self, text: str, *, always: bool = False) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        progress = self._run.options.farm_progress
        if reporter is None or (progress == "off" and not always):
            return
        if not always and progress == "auto" and not reporter.isatty:
            return
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        with self._said, capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            writer = getattr(reporter, "_tw", None)
            # pytest's own ensure_newline does nothing behind a dot in quiet mode and under xdist.
            if writer is not None and getattr(writer, "width_of_current_line", False):
                writer.line()
            reporter.currentfspath = None
            reporter.write_line(f"device farm: {text}")
            reporter.flush()  # whoever reads a log of CI wants it now, not when the buffer is full

    def _show_progress(self, message: Mapping[str, Any]) -> None:
        done, size = message["done"], message["size"]
        if size and done >= size:
            self._show(f"uploaded {message['name']}, {size / 1e6:.1f} MB")


def _simulator_line(record: Mapping[str, Any]) -> str:
    def count(name: str) -> int:
        value = record.get(name, ())
        return value if isinstance(value, int) else len(value)

    uploads: Sequence[int] = list(record.get("uploads", {}).values())
    return (
        f"simulator's record: {count('sessions')} sessions, {count('overlaps')} overlapping; {len(uploads)} builds, "
        f"{sum(uploads)} uploads; {count('violations')} requests against the contract; "
        f"{count('open_sessions')} sessions and {count('open_reservations')} reservations open"
    )
