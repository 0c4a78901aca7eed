"""`adopt`: an MWAA environment that exists, into the project file."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from penstock.adopt import write
from penstock.adopt.findings import findings
from penstock.adopt.read import read
from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, data, show_json, talk
from penstock.deployed.account import Account
from penstock_runtime.errors import InputError, plain


def adopt(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="Name of the MWAA environment.")],
    region: Annotated[str | None, typer.Option("--region", help="Its region; by default the project's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    form: FormatOption = Format.text,
) -> None:
    """Write an MWAA environment that exists into the project file, and say what is wrong with it.

    AWS is only read. With `--environment` before the command, it is written for that environment of the project alone.
    Exit code 1 if something is wrong that does not work on MWAA or with Penstock.
    """
    own = contexts.of(context)
    document = write.project_file(own.project_file)
    theirs = write.region_of(document, own.environment)
    if region is not None and theirs is not None and region != theirs:
        fix = "leave --region out, or adopt it for an environment of that region: penstock --environment NAME adopt …"
        raise InputError(f"the project deploys to {theirs}, not to {region}", fix=fix, where=document.name)
    live = read(name, Account.at(region or theirs).client)
    adopted = write.adoption(document, live, own.environment)
    problems = findings(live)
    written = bool(adopted.diff) and not dry_run
    if written:
        adopted.write()
    if form is Format.json:
        facts = {"file": str(adopted.path), "written": written, "airflow": adopted.airflow, "network": adopted.network}
        show_json({**facts, "diff": adopted.diff, "findings": [dataclasses.asdict(finding) for finding in problems]})
    else:
        data.print(adopted.diff or f"{adopted.path} says it already", markup=False, end="" if adopted.diff else "\n")
        for finding in problems:
            talk.print(
                f"{finding.level}: {plain(finding.what)}\n  fix: {plain(finding.fix)}",
                style=_STYLES[finding.level],
                markup=False,
            )
        if adopted.network is None:
            talk.print("network is left unchanged: not all subnets could be read", style="yellow")
        talk.print("nothing is written" if not written else "next: penstock validate", markup=False)
    raise typer.Exit(1 if any(finding.level == "error" for finding in problems) else 0)


_STYLES = {"error": "red", "warning": "yellow"}
