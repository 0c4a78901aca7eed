"""`invoke airflow …`: the commands of the embedded system's Airflow, as `meltano invoke airflow` has them."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli import context as contexts
from penstock.cli.embedded import password_file
from penstock.cli.output import talk
from penstock.local import airflow_command
from penstock.local.system import System, attach
from penstock_runtime.errors import InputError

STARTED_BY_UP = ("scheduler", "webserver", "api-server", "triggerer", "dag-processor", "standalone")
"""Commands of Airflow that start what `penstock up` starts."""
SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


def invoke(
    context: typer.Context,
    plugin: Annotated[str, typer.Argument(metavar="airflow", help="airflow, or airflow:initialize.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Of the command airflow.")] = None,
) -> None:
    """Run a command of the embedded system's Airflow, such as dags list or tasks test; the exit code is its own."""
    name, _, command = plugin.partition(":")
    if name != "airflow" or command not in ("", "initialize"):
        raise InputError(
            f"penstock invoke runs airflow only, not {plugin[:60]!r}",
            fix=f"run it in the Meltano project: meltano invoke {plugin[:60]}",
            where="penstock invoke",
        )
    given = ["initialize"] if command else list(arguments or ())
    if given[:1] == ["initialize"] or given[:2] in (["db", "init"], ["db", "migrate"]):
        raise InputError(
            "penstock up creates Airflow's database itself", fix="run penstock up", where="penstock invoke airflow"
        )
    if given[:1] and given[0] in STARTED_BY_UP:
        raise InputError(
            f"penstock up starts Airflow, its {given[0]} included",
            fix="run penstock up; penstock status says what runs, penstock logs what it writes",
            where="penstock invoke airflow",
        )
    system = attach(contexts.of(context).instance())
    if given[:1] == ["users"] and system.server.major >= 3:
        raise _no_users(system)
    if not given:
        talk.print("name a command of Airflow's: penstock invoke airflow dags list", style="dim")
        given = ["--help"]
    raise typer.Exit(airflow_command.run(system, given))


def _no_users(system: System) -> InputError:
    return InputError(
        f"Airflow {system.server.version} has no command `users` with its simple auth manager",
        fix=f"sign in as {system.server.user}, with the password in {password_file(system)}",
        where="penstock invoke airflow",
    )
