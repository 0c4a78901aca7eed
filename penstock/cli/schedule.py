"""`schedule add`, `set`, `list`, `remove`, `run`: what runs when, with Meltano's names and output."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from penstock.cli import context as contexts
from penstock.cli.edits import make
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, data, show, show_json
from penstock.cli.run import run
from penstock.project.document.problems import nearest
from penstock.project.edit import ProjectFiles
from penstock.project.meltano import listing
from penstock_runtime.errors import InputError

app = typer.Typer(help="The schedules of the project, as meltano schedule has them.", no_args_is_help=True)

JobOption = Annotated[str | None, typer.Option("--job", help="The job to run.")]
ExtractorOption = Annotated[str | None, typer.Option("--extractor", help="For meltano elt: the extractor.")]
LoaderOption = Annotated[str | None, typer.Option("--loader", help="For meltano elt: the loader.")]
TransformOption = Annotated[
    str | None, typer.Option("--transform", metavar="skip|only|run", help="For meltano elt. Default: skip.")
]
TimezoneOption = Annotated[str | None, typer.Option("--timezone", help="IANA name, such as Europe/Berlin.")]
_INTERVAL = "A cron expression, a preset such as @daily, or every 90 minutes."


@app.callback()
def _group() -> None:
    """The schedules of the project, as `meltano schedule` has them."""


@app.command()
def add(
    context: typer.Context,
    name: str,
    interval: Annotated[str, typer.Option("--interval", help=_INTERVAL)],
    job: JobOption = None,
    extractor: ExtractorOption = None,
    loader: LoaderOption = None,
    transform: TransformOption = None,
    timezone: TimezoneOption = None,
) -> None:
    """Add a schedule of a job, or of an extractor and a loader.

    It goes into meltano.yml if it is one that Meltano can have, and otherwise into penstock.yaml.
    """
    elt = {"extractor": extractor, "loader": loader, "transform": transform}
    if job is not None and any(elt.values()):
        raise InputError(
            "--job cannot be mixed with --extractor, --loader and --transform",
            fix="name a job, or an extractor and a loader",
            where="penstock schedule add",
        )
    if job is None:
        for key in ("extractor", "loader"):
            if elt[key] is None:
                raise InputError(f"--{key} is missing", fix="or name a job: --job NAME", where="penstock schedule add")
        if timezone is not None:
            fix = "add a job of the two, and schedule that: penstock job add NAME --tasks 'tap target'"
            raise InputError("meltano.yml has no time zones", fix=fix, where="--timezone")
        settings = {"extractor": extractor, "loader": loader, "transform": transform or "skip", "interval": interval}
    else:
        settings = {"job": job, "interval": interval, "timezone": timezone}
    make(_files(context).add_schedule(name, _given(settings)))
    data.print(f"Scheduled {'elt' if job is None else 'job'} '{name}' at {interval}", markup=False)


@app.command("set")
def set_schedule(
    context: typer.Context,
    name: str,
    interval: Annotated[str | None, typer.Option("--interval", help=_INTERVAL)] = None,
    job: JobOption = None,
    extractor: ExtractorOption = None,
    loader: LoaderOption = None,
    transform: TransformOption = None,
    timezone: TimezoneOption = None,
) -> None:
    """Change a schedule, in the file in which it stands."""
    settings = {"interval": interval, "job": job, "extractor": extractor, "loader": loader, "transform": transform}
    given = _given(settings | {"timezone": timezone})
    if not given:
        raise InputError(
            "nothing to change", fix="name a setting, such as --interval @hourly", where="penstock schedule"
        )
    make(_files(context).set_schedule(name, given))
    data.print(f"Updated schedule '{name}'", markup=False)


@app.command()
def remove(context: typer.Context, name: str) -> None:
    """Remove a schedule, from the file in which it stands."""
    make(_files(context).remove_schedule(name))
    data.print(f"Removed schedule '{name}'.", markup=False)


@app.command("run")
def run_schedule(context: typer.Context, name: str, form: FormatOption = Format.text) -> None:
    """Run a schedule now, in the embedded system that is up, and follow it. Exit code 1 if any of it failed."""
    if name not in {schedule.name for schedule in contexts.of(context).plan().schedules}:
        known = [schedule.name for schedule in contexts.of(context).plan().schedules]
        fix = nearest(name, known, kind="schedule")
        raise InputError(f"there is no schedule {name!r}", fix=fix, where=str(contexts.of(context).project_file))
    run(context, name, form=form)


@app.command("list")
def list_schedules(context: typer.Context, form: FormatOption = Format.text) -> None:
    """List the schedules; as JSON Meltano's are as in meltano schedule list --format=json."""
    if form is Format.json:
        show_json(_listing(context))
        return
    show(_rows(context), ["schedule", "job", "interval", "timezone", "dag_id", "tasks"], form, empty="no schedules")


def _listing(context: typer.Context) -> dict[str, Any]:
    files = _files(context)
    listed: dict[str, Any] = {"job": [], "elt": []}
    if files.meltano:
        listed = dict(listing.schedules(files.meltano.documents))
    names = {name for name, _, _ in files.own.schedules}
    if names:
        listed["penstock"] = [row for row in _rows(context) if row["schedule"] in names]
    return {"schedules": listed}


def _rows(context: typer.Context) -> list[dict[str, Any]]:
    return [
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


def _files(context: typer.Context) -> ProjectFiles:
    own = contexts.of(context)
    return ProjectFiles(own.project_file, own.environment)


def _given(settings: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in settings.items() if value is not None}
