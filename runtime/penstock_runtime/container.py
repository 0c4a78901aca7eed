"""The container's main program: reads its task from the environment, starts the engine, bounds it, reports it.

What a reader of the log sees: a first line that says what runs, the engine's own output with secrets masked, a last
line with the outcome, and one line from which CloudWatch makes metrics.
"""

from __future__ import annotations

import os
import re
import site
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock_runtime import contract, files, metrics, process
from penstock_runtime.contract import Exit
from penstock_runtime.engines import Counts, Launch, command, meltano, openmetadata
from penstock_runtime.errors import RunError
from penstock_runtime.redact import redactor
from penstock_runtime.run import Run, Size, read, read_names, stop_timeout_seconds, timeout_seconds, wrong

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""Neither CloudWatch nor Airflow shows colours: they show the escape sequences."""

_LEAST_SECONDS = 0.1
"""What an engine gets in any case, so that its end is reported as every other's."""

ENGINES: dict[str, Callable[[Mapping[str, str]], Launch]] = {
    "openmetadata": openmetadata.launch,
    "meltano": meltano.launch,
    "command": command.launch,
}


def main() -> int:
    """Run the task of this process's environment; returns the container's exit code (`contract.Exit`)."""
    environ = dict(os.environ)
    try:
        if openmetadata.stock(environ):
            # Upstream's contract: somebody else bounds and names this run.
            return _run(openmetadata.launch(environ), environ, None, None)
        run = Run.read(environ)
        engine = read(environ, contract.ENGINE)
        if engine not in ENGINES:
            wrong(contract.ENGINE, f"is {engine!r}; this runtime knows {', '.join(ENGINES)}")
        return _run(ENGINES[engine](environ), environ, run, timeout_seconds(environ))
    except RunError as error:
        _say(f"penstock: {error}")
        return error.exit_code


def _run(launch: Launch, environ: Mapping[str, str], run: Run | None, timeout: float | None) -> int:
    began = time.monotonic()
    size = Size.read(environ) if run else None
    stop_timeout = stop_timeout_seconds(environ, process.STOP_TIMEOUT_SECONDS)
    secrets = [environ[name] for name in _secret_names(environ) if name in environ]
    mask = redactor([*secrets, *files.decoded(environ)])
    _say(mask(f"penstock: {run or 'a run by the stock contract'}: {launch.title}"))
    counts = Counts()

    def on_line(line: str) -> None:
        line = _COLOUR.sub("", line)
        launch.count(line, counts)
        _say(mask(line))

    files.write(environ)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        child = {
            **environ,
            **_home(environ),
            **launch.environment,
            **({contract.REPORT: str(report)} if launch.reports else {}),
        }
        outcome = process.run(
            files.located(launch.command, environ),
            files.located_environment(child),
            # The limit counts from the container's start: what the files took is not given again.
            timeout_seconds=None if timeout is None else max(timeout - (time.monotonic() - began), _LEAST_SECONDS),
            on_line=on_line,
            stop_timeout_seconds=stop_timeout,
        )
        if report.exists():
            try:
                counts = Counts.from_json(report.read_text())
            except ValueError as error:
                # How the run ended is worth more than what it counted.
                _say(f"penstock: the engine's report cannot be read: {error}")
    seconds = time.monotonic() - began
    _say(f"penstock: {_sentence(outcome, counts, seconds, timeout)}")
    if run:
        _say(metrics.line(run, outcome, counts, seconds, size))
    return outcome.exit_code


def _home(environ: Mapping[str, str]) -> dict[str, str]:
    """Another home folder, where the image's cannot be written; Python still finds what is installed below that one."""
    home = environ.get(contract.HOME)
    return {"HOME": home, "PYTHONUSERBASE": site.getuserbase()} if home else {}


def _secret_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which environment variables hold secrets; every name of the task where nobody says (better masked than shown)."""
    if contract.SECRET_NAMES in environ:
        return read_names(environ, contract.SECRET_NAMES)
    return read_names(environ, contract.NAMES)


def _sentence(outcome: process.Outcome, counts: Counts, seconds: float, timeout: float | None) -> str:
    if outcome.how == "timed out":
        what = f"timed out: the limit is {timeout:g} s (timeout_minutes)"
    elif outcome.how == "stopped":
        what = "stopped by SIGTERM (StopTask or a Spot interruption)"
    elif outcome.exit_code == Exit.DONE:
        what = "done"
    elif outcome.exit_code == Exit.KILLED:
        what = "killed by SIGKILL: most likely out of memory (memory_mib)"
    else:
        what = "failed"
    told = [f"{value} {name}" for name, value in vars(counts).items() if value is not None]
    return ", ".join([f"{what}, exit code {outcome.exit_code}, after {seconds:.1f} s", *told])


def _say(line: str) -> None:
    print(line, flush=True)
