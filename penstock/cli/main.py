"""`penstock --project FILE --environment NAME COMMAND`: options for all commands, errors, exit codes.

Exit codes: 0 done, 1 something failed, 2 wrong input (a file or the command line), 128 + n ended by signal n (130:
Ctrl-C, 143: SIGTERM).
"""

from __future__ import annotations

import importlib.metadata
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from penstock.cli import (
    adopt,
    catalogue,
    dags,
    deploy_policy,
    diff,
    down,
    invoke,
    job,
    logs,
    plan,
    push,
    requirements,
    schedule,
    schema,
    status,
    up,
    validate,
)
from penstock.cli import run as run_command
from penstock.cli.context import PROJECT_FILE, Context
from penstock.cli.output import talk
from penstock_runtime.errors import PenstockError

ENDED_BY_SIGNAL = 128
ENDED_BY_CTRL_C = ENDED_BY_SIGNAL + signal.SIGINT
_ENDING = (signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(
    name="penstock",
    help="Ingestion on AWS from one project file: Amazon MWAA schedules, ECS Fargate runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(importlib.metadata.version("penstock"))
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    project_file: Annotated[Path, typer.Option("--project", help="The project file.")] = PROJECT_FILE,
    environment: Annotated[
        str | None,
        typer.Option("--environment", help="One of the project's environments; the first by default."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ingestion on AWS from one project file: Amazon MWAA schedules, ECS Fargate runs."""
    context.obj = Context(project_file, environment)


COMMANDS = (
    validate.validate,
    plan.plan,
    schema.schema,
    adopt.adopt,
    up.up,
    run_command.run,
    status.status,
    logs.logs,
    down.down,
    push.push,
    diff.diff,
    deploy_policy.deploy_policy,
    requirements.requirements,
)
PASSED_ON = {"invoke": invoke.invoke}
"""Commands whose arguments are another program's."""
GROUPS = {"dags": dags.app, "job": job.app, "schedule": schedule.app, "catalogue": catalogue.app}
"""Commands, then groups of commands, in the order of the help."""

for command in COMMANDS:
    app.command()(command)
for name, passed_on in PASSED_ON.items():
    app.command(name, context_settings=invoke.SETTINGS)(passed_on)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def run() -> None:
    """The console script: errors of ours become two lines and an exit code, never a traceback."""
    # So that `finally` blocks run, and nothing that was started is left behind.
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _end)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except PenstockError as error:
        _tell(error)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # The reader of our output, `head` for example, has gone.
            sys.stderr.close()
            sys.exit(0)
        place = f"{error.filename}: " if error.filename else ""
        _tell(PenstockError(f"{place}{error.strerror or error}", fix="make room there, or see who may use it"))
    except SystemExit as end:
        # Typer has made a KeyboardInterrupt of it.
        names = {ENDED_BY_CTRL_C: "Ctrl-C", **{ENDED_BY_SIGNAL + signal_: signal_.name for signal_ in _ENDING}}
        if end.code in names:
            talk.print(f"ended by {names[end.code]}", style="red")
        raise


def _end(number: int, _: object) -> NoReturn:
    """Say nothing here: the signal may have come in the middle of a line."""
    sys.exit(ENDED_BY_SIGNAL + number)


def _tell(error: PenstockError) -> NoReturn:
    talk.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
    sys.exit(error.exit_code)
