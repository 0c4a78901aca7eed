"""`plan`: the project, worked out."""

from __future__ import annotations

import typer

from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, data, talk
from penstock_runtime.errors import plain, visible
from penstock_runtime.plan.airflow import AirflowCatalogue
from penstock_runtime.plan.schedule import FargateTask

ALONE = (
    "its image's own entry point gets the command: Airflow stops it up to 15 minutes after {} minutes, and {} if "
    "Airflow has lost the run; secrets are not masked in its log; no metrics"
)
"""Of a task in an image of which nobody says that it has Python."""

WAYS = {
    "rest": "MWAA's REST API (InvokeRestApi)",
    "database": "its metadata database, from a Fargate task",
    "backend": "its metadata database, from a worker of Airflow's",
}


def plan(context: typer.Context, form: FormatOption = Format.text) -> None:
    """Print the plan: everything worked out, nothing left to choose. `--format json` is the whole of it."""
    whole = contexts.of(context).plan()
    if form is Format.json:
        data.file.write(whole.to_json())
        return
    data.print(
        f"{whole.project}, environment {whole.environment}, {whole.region}, Airflow {whole.airflow.version}",
        markup=False,
    )
    otherwise = "Penstock's reaper" if whole.ecs.reaper else "nobody"
    paths = {file.sha256: file.path for file in whole.files}
    for schedule in whole.schedules:
        when = f"{schedule.cron} {schedule.timezone}" if schedule.cron else schedule.interval or "by hand"
        data.print(f"\n{visible(f'schedule {schedule.name} ({when}), job {schedule.job}')}", markup=False)
        for task in schedule.tasks:
            after = f" after {', '.join(task.after)}" if task.after else ""
            what = " ".join(task.command) or f"{task.engine} {task.workflow_type}"
            data.print(f"  {visible(f'{task.name}{after}: {what}')}", markup=False)
            if not isinstance(task, FargateTask):
                text = f"in Airflow's worker (operator {task.operator}), at most {task.timeout_minutes} minutes"
                data.print(f"    {text}", style="dim", markup=False)
                continue
            size = f"{task.cpu_units} CPU units, {task.memory_mib} MiB, at most {task.timeout_minutes} minutes"
            data.print(f"    {size}, task definition {task.family}", style="dim", markup=False)
            if not task.runtime:
                data.print(f"    {ALONE.format(task.timeout_minutes, otherwise)}", style="dim", markup=False)
            for file in task.files:
                source = f"secret {file.secret}" if file.sha256 is None else paths[file.sha256]
                data.print(f"    {visible(f'{file.path} is {source}, mode {file.mode}')}", style="dim", markup=False)
    if whole.catalogue is not None:
        data.print(f"\n{_catalogue(whole.catalogue)}", markup=False)
    for warning in whole.warnings:
        talk.print(f"warning: {plain(warning)}", style="yellow", markup=False, soft_wrap=True)


def _catalogue(catalogue: AirflowCatalogue) -> str:
    """How MWAA's own metadata is catalogued."""
    text = f"catalogue of {catalogue.environment}: by {WAYS[catalogue.way]}, since {catalogue.reason}"
    text += f"; DAG {catalogue.dag_id}, service {catalogue.service}"
    if catalogue.discovery_dag_id is not None:
        text += f"; first run DAG {catalogue.discovery_dag_id}, which writes the secret {catalogue.secret}"
    return text
