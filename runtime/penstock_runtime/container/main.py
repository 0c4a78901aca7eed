"""The container's main program: reads its task from the environment, starts the engine, bounds it, reports it.

What a reader of the log sees: a first line that says what runs, the engine's output with secrets masked, a last line
with the outcome, and one line from which CloudWatch makes metrics.
"""

from __future__ import annotations

import dataclasses
import os
import re
import site
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock_runtime import contract
from penstock_runtime.container import files, metrics, process
from penstock_runtime.container.engines import Counts, Launch, Report, command, meltano, openmetadata
from penstock_runtime.container.environment import (
    Run,
    Size,
    read,
    read_names,
    refuse,
    stop_timeout_seconds,
    timeout_seconds,
)
from penstock_runtime.container.redact import Redactor, notices
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""CloudWatch and Airflow show the escape sequences instead of colours."""

_LEAST_SECONDS = 0.1
"""What an engine gets in any case, so that its end is reported like any other."""

ENGINES: dict[str, Callable[[Mapping[str, str]], Launch]] = {
    "openmetadata": openmetadata.launch,
    "meltano": meltano.launch,
    "command": command.launch,
}


def main() -> int:
    """Run the task of this process's environment; returns the container's exit code (`contract.Exit`)."""
    environ = dict(os.environ)
    mask: Callable[[str], str] = str
    try:
        secrets = {name: environ[name] for name in _secret_names(environ) if name in environ}
        mask = Redactor(secrets.values())
        if decoded := files.decoded(environ):
            mask = Redactor([*secrets.values(), *decoded])
        return _run(environ, secrets, mask)
    except RunError as error:
        _say(mask(f"penstock: {error}"))
        return error.exit_code
    except Exception:  # noqa: BLE001  Python itself would print the values that a traceback may hold
        _say(mask(traceback.format_exc()))
        _say("penstock: the container's own program failed\n  fix: report the lines above as a bug in Penstock")
        return Exit.FAILED


def _run(environ: Mapping[str, str], secrets: Mapping[str, str], mask: Callable[[str], str]) -> int:
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
    stop_timeout = stop_timeout_seconds(environ, process.STOP_TIMEOUT_SECONDS)
    _say(mask(f"penstock: {run or 'a run by the stock contract'}: {launch.title}"))
    for notice in notices(secrets):
        _say(mask(f"penstock: {notice}"))
    report = Report()

    def on_line(line: str) -> None:
        line = _COLOUR.sub("", line)
        launch.count(line, report.counts)
        _say(mask(line))

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
            on_line=on_line,
            stop_timeout_seconds=stop_timeout,
        )
        if path.exists():
            try:
                report = Report.from_json(path.read_text())
            except ValueError as error:
                # How the run ended matters more than its counts.
                _say(mask(f"penstock: the engine's report cannot be read: {error}"))
    if outcome.ended_by == "engine" and report.own_error:
        outcome = dataclasses.replace(outcome, ended_by="penstock")
    seconds = time.monotonic() - began
    _say(f"penstock: {_sentence(outcome, report.counts, seconds, timeout)}")
    if run:
        # Not masked: numbers, and names of the plan. Only the id of the run may be a text that somebody has typed.
        run = dataclasses.replace(run, dag_run=mask(run.dag_run))
        _say(metrics.line(run, outcome, report.counts, seconds, size))
    return outcome.exit_code


def _home(environ: Mapping[str, str]) -> dict[str, str]:
    """Another home folder if the image's cannot be written; Python still finds what is installed below the image's."""
    home = environ.get(contract.HOME)
    return {"HOME": home, "PYTHONUSERBASE": site.getuserbase()} if home else {}


def _secret_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which environment variables hold secrets; without that, all names of the task (better masked than shown)."""
    if contract.SECRET_NAMES in environ:
        return read_names(environ, contract.SECRET_NAMES)
    return read_names(environ, contract.NAMES)


def _sentence(outcome: process.Outcome, counts: Counts, seconds: float, timeout: float | None) -> str:
    code = outcome.exit_code
    if outcome.how == "timed out":
        what = f"timed out: the limit is {timeout:g} s (timeout_minutes)"
    elif outcome.how == "stopped":
        what = "stopped by SIGTERM (StopTask or a Spot interruption)"
    elif code == Exit.DONE:
        what = "done"
    elif outcome.ended_by == "signal" and code == Exit.KILLED:
        what = "killed by SIGKILL: most likely out of memory (memory_mib)"
    elif outcome.ended_by == "signal":
        what = f"killed by signal {code - 128}"
    else:
        what = "failed"
    known = code in {int(member) for member in Exit} - {Exit.DONE, Exit.FAILED}
    whose = " (the engine's own)" if known and outcome.ended_by == "engine" else ""
    counted = [f"{value} {name}" for name, value in vars(counts).items() if value is not None]
    return ", ".join([f"{what}, exit code {code}{whose}, after {seconds:.1f} s", *counted])


def _say(line: str) -> None:
    print(line, flush=True)
