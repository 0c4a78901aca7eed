"""`run FILE`: one OpenMetadata workflow file, here and now."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from penstock.cli.context import Context
from penstock.cli.output import Format, Steps, data, show_json, talk
from penstock.local.one_file import embedded, order, process, target
from penstock.project.loaded import Project
from penstock_runtime.contract import METRIC_KEY
from penstock_runtime.errors import InputError

ENDINGS = (".yaml", ".yml", ".json")
_SHOWN = {"ExitCode": "exit_code", "Records": "records", "Failures": "failures", "Warnings": "warnings",
          "Duration": "seconds"}  # fmt: skip


def is_file(argument: str) -> bool:
    """Whether an argument of `run` means a file: a job's name has neither an ending nor a `/`."""
    return argument.endswith(ENDINGS) or "/" in argument


def run_file(own: Context, file: Path, workflow_type: str | None, version: str | None, form: Format) -> int:
    """Check the file, run it, follow it; returns the container's exit code.

    Args:
        workflow_type: instead of what the project's task or the file says.
        version: of OpenMetadata, outside a project.

    Raises:
        InputError, InputErrors: what is wrong with the file, the project or the values.
        PenstockError: the engine cannot be installed or started.
    """
    project = _project(own)
    if project is not None and version is not None:
        raise InputError(
            "--openmetadata is for a file outside a project", fix="set openmetadata.version in the project"
        )
    aim = target.outside(version) if project is None else target.inside(project, own.environment, file, workflow_type)
    checked = order.check(file, aim, workflow_type, own.shapes)
    for warning in (*(project.notes if project is not None else ()), *checked.warnings):
        talk.print(f"warning: {warning}", style="yellow", markup=False)
    instance = own.instance_or_none() if project is not None else None
    known = embedded.values(instance, aim.settings) if aim.settings is not None else {}
    made = order.place(checked, aim, os.environ, known)
    _say_what(checked, aim, known)
    metric: dict[str, Any] = {}

    def say(line: str) -> None:
        if line.startswith(f'{{"{METRIC_KEY}"'):
            metric.update(json.loads(line))
        else:
            (data if form is Format.text else talk).print(line, markup=False)

    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        environ = process.from_shell(os.environ, Path.home()) | order.lay_out(made, project, Path(folder))
        code = process.run(environ, aim.lock, Path(folder), say, Steps().note)
    if form is Format.json:
        counts = {name: metric[key] for key, name in _SHOWN.items() if key in metric}
        show_json({"file": str(file), "type": checked.workflow_type, **counts, "exit_code": code})
    return code


def _project(own: Context) -> Project | None:
    """The project; None where there is none at the place that every command looks at, and none was named."""
    return own.project if own.is_named or own.project_file.exists() else None


def _say_what(checked: order.Checked, aim: target.Target, known: dict[str, str]) -> None:
    where = f"as task {aim.task} of job {aim.job}" if aim.job != "run" else "as a task of its own"
    of = f" of {aim.project}/{aim.environment}" if aim.settings is not None else " outside a project"
    talk.print(f"{checked.workflow_type} with OpenMetadata {aim.openmetadata.version}, {where}{of}", markup=False)
    if known:
        talk.print("with the services of the embedded system that is up", markup=False)
    if instead := sorted(name for name in checked.workflow.names if name in aim.variables and name in os.environ):
        talk.print(f"from the shell's environment instead of the project: {', '.join(instead)}", markup=False)
