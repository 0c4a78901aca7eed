"""`logs`: the logs of the embedded system."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, data, show, show_json
from penstock.local import fargate
from penstock_runtime.errors import InputError, visible


def logs(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="A task, a service or a step; without one, lists what there is.")
    ] = None,
    form: FormatOption = Format.text,
) -> None:
    """Print a log: of a task's last run, of a service, or of a step such as deploy. The system need not be up."""
    own = contexts.of(context).instance()
    files = {file.stem: file for file in sorted((own.folder / "logs").glob("*.log"))}
    if name in files:
        _print_log(name, files[name].read_text(errors="replace").splitlines(), form)
        return
    ran = fargate.past_tasks(own.folder / "aws")
    if name is None:
        rows: list[dict[str, Any]] = [{"log": stem, "of": "service or step", "run": None} for stem in files]
        rows += [
            {"log": result.task, "of": "task", "run": result.dag_run}
            for result in {result.task: result for result in ran}.values()
        ]
        show(rows, ["log", "of", "run"], form)
        return
    of_task = [result for result in ran if result.task == name]
    if not of_task:
        known = sorted({*files, *(result.task for result in ran)})
        raise InputError(f"there is no log of {name!r}", fix=f"choose one of {', '.join(known)}")
    _print_log(name, fargate.past_log(own.folder / "aws", of_task[-1]), form)


def _print_log(name: str, lines: list[str], form: Format) -> None:
    if form is Format.json:
        show_json({"log": name, "lines": lines})
        return
    for line in lines:
        # A program's own colours may go to a file; on a terminal its sequences could set titles or the clipboard.
        data.file.write((visible(line, keep="\t") if data.is_terminal else line) + "\n")
