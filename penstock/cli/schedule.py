"""`schedule list`: what runs when."""

from __future__ import annotations

import typer

from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, show

app = typer.Typer(help="The schedules of the project.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The schedules of the project."""


@app.command("list")
def list_schedules(context: typer.Context, form: FormatOption = Format.text) -> None:
    """List the schedules, Meltano's included."""
    rows = [
        {
            "schedule": schedule.name,
            "job": schedule.job,
            "interval": schedule.interval or "by hand",
            "timezone": schedule.timezone,
            "dag_id": schedule.dag_id,
            "tasks": [task.name for task in schedule.tasks],
            "paused": schedule.paused,
        }
        for schedule in contexts.of(context).plan().schedules
    ]
    show(
        rows,
        ["schedule", "job", "interval", "timezone", "dag_id", "tasks"],
        form,
        empty="the project has no schedules",
    )
