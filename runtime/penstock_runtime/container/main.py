"""The container's main program: reads its task from the environment, starts the engine, bounds it, reports it.

What a reader of the log sees: a first line that says what runs, the engine's output with secrets masked, a last line
with the outcome, and one line from which CloudWatch makes metrics.
"""

from __future__ import annotations

import dataclasses
import os
import site
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock_runtime import contract
from penstock_runtime.container import aftermath, files, metrics, process
from penstock_runtime.container.engines import Launch, Report, meltano, openmetadata
from penstock_runtime.container.engines import command as command_engine
from penstock_runtime.container.environment import (
    Run,
    Size,
    read,
    refuse,
    secret_names,
    stop_timeout_seconds,
    timeout_seconds,
)
from penstock_runtime.container.log import Log
from penstock_runtime.container.output import Output
from penstock_runtime.container.redact import Redactor, notices
from penstock_runtime.container.sentence import sentence
from penstock_runtime.container.stop import REPORT_SECONDS, STOP_TIMEOUT_SECONDS, Stop, Stopped
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

_LEAST_SECONDS = 0.1
"""What an engine gets in any case, so that its end is reported like any other."""

_STOPPED = RunError(
    "stopped by SIGTERM (StopTask or a Spot interruption) before the engine was started",
    fix="nothing was done: run the task again",
    exit_code=Exit.STOPPED,
)

ENGINES: dict[str, Callable[[Mapping[str, str]], Launch]] = {
    "openmetadata": openmetadata.launch,
    "meltano": meltano.launch,
    "command": command_engine.launch,
}


def main() -> int:
    """Run the task of this process's environment; returns the container's exit code (`contract.Exit`)."""
    stop, output = Stop(), Output()
    stop.install()
    log = Log(output, Redactor([]))
    # An engine that has ended sets its own limit for what is left to say (`process.run`).
    output.until = lambda: min(output.taken_at + process.BLOCKED_SECONDS, stop.report_until)
    try:
        # In UTF-8 as the log is, so that secrets are found in it whatever the locale.
        environ = {_text(name): _text(value) for name, value in os.environb.items()}
        code = _bounded(environ, log, stop)
        stop.outlast()
    except Stopped:
        log.say(f"penstock: {_STOPPED}")
        code = _STOPPED.exit_code
        stop.outlast()
    return code


def _bounded(environ: Mapping[str, str], log: Log, stop: Stop) -> int:
    """Run the task; an error is a line of the log."""
    try:
        secrets = {name: environ[name] for name in secret_names(environ) if name in environ}
        log.redactor = Redactor(secrets.values())
        if decoded := files.decoded(environ):
            log.redactor = Redactor([*secrets.values(), *decoded])
        return _run(environ, secrets, log, stop)
    except RunError as error:
        log.say(f"penstock: {error}")
        return error.exit_code
    except Exception:  # noqa: BLE001  Python itself would print the values that a traceback may hold
        log.say(traceback.format_exc())
        log.say("penstock: the container's own program failed\n  fix: report the lines above as a bug in Penstock")
        return Exit.FAILED


def _run(environ: Mapping[str, str], secrets: Mapping[str, str], log: Log, stop: Stop) -> int:
    stock = openmetadata.stock(environ)
    # Upstream's contract: whoever started this run bounds and names it.
    run = None if stock else Run.read(environ)
    engine = "openmetadata" if stock else read(environ, contract.ENGINE)
    if engine not in ENGINES:
        refuse(contract.ENGINE, f"is {engine!r}; this runtime knows {', '.join(ENGINES)}")
    launch = ENGINES[engine](environ)
    timeout = timeout_seconds(environ) if run else None
    began = time.monotonic()
    size = Size.read(environ) if run else None
    stop.timeout_seconds = stop_timeout_seconds(environ, STOP_TIMEOUT_SECONDS)
    log.say(f"penstock: {run or 'a run by the stock contract'}: {launch.title}")
    for notice in notices(secrets):
        log.say(f"penstock: {notice}")
    report = Report()
    log.count = lambda line: launch.count(line, report.counts)
    files.write(environ)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        child = {
            **environ,
            **_home(environ),
            **launch.environment,
            **({contract.REPORT: str(path)} if launch.reports else {}),
        }
        outcome = process.run(
            files.located(launch.command, environ),
            files.located_environment(child),
            # The limit counts from the container's start, so the time for the files is taken off.
            timeout_seconds=None if timeout is None else max(timeout - (time.monotonic() - began), _LEAST_SECONDS),
            log=log,
            stop=stop,
        )
        if outcome.exit_code != Exit.DONE and launch.after_failure:
            command = (*launch.after_failure, str(int((time.time() - (time.monotonic() - began)) * 1000)))
            aftermath.run(command, files.located_environment(child), log, stop, explained=outcome.how == "ended")
        ended = time.monotonic()
        log.output.until = lambda: min(ended + REPORT_SECONDS, stop.report_until)
        if path.exists():
            try:
                report = Report.from_json(path.read_text())
            except ValueError as error:
                # How the run ended matters more than its counts.
                log.say(f"penstock: the engine's report cannot be read: {error}")
    if outcome.ended_by == "engine" and report.own_error:
        outcome = dataclasses.replace(outcome, ended_by="penstock")
    seconds = time.monotonic() - began
    # Not masked: numbers, and names of the plan. Only the id of the run may be a text that somebody has typed.
    log.say(f"penstock: {sentence(outcome, report.counts, seconds, timeout, size)}", masked=False)
    if run:
        run = dataclasses.replace(run, dag_run=log.redactor(run.dag_run))
        log.say(metrics.line(run, outcome, report.counts, seconds, size), masked=False)
    return outcome.exit_code


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _home(environ: Mapping[str, str]) -> dict[str, str]:
    """Another home folder if the image's cannot be written; Python still finds what is installed below the image's."""
    home = environ.get(contract.HOME)
    return {"HOME": home, "PYTHONUSERBASE": site.getuserbase()} if home else {}
