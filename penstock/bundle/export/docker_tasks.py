"""`DockerOperator`: a task runs in a container on the host of the Airflow worker; for a self-managed Airflow only.

Socket, network and removal are as in OpenMetadata's documentation, "Run the ingestion from your own Airflow", with the
names of today's provider (4.0: `auto_remove` is a text). No Docker was there to run an exported file: tests import it
and compare its arguments.
"""

from __future__ import annotations

import shlex
from typing import Any

from penstock.bundle.export import in_file, python_tasks
from penstock.bundle.export.literals import Call, Code
from penstock.bundle.export.work import (
    Parts,
    Source,
    command_line,
    environment,
    literally,
    minutes,
    operator,
    refuse_files,
)
from penstock_runtime.errors import InputError
from penstock_runtime.plan.schedule import FargateTask

IMAGE = "meltano_image"
"""Airflow variable with the image of the Meltano project, where it is one that Penstock builds."""


def build(source: Source, task: FargateTask, parts: Parts) -> Call:
    """A task as a call of the operator.

    Raises:
        InputError: the task has files, or secrets that nothing in its image can read.
    """
    refuse_files(source, task)
    parts.imports |= {
        "from datetime import timedelta",
        "from airflow.providers.docker.operators.docker import DockerOperator",
    }
    values: dict[str, Any] = dict(environment(source, task, parts))
    secrets = source.secrets(task)
    if task.engine == "openmetadata":
        arguments = python_tasks.workflow_arguments(source, task, parts)
        del arguments["variables"]
        values["RUN"] = arguments.pop("run")
        values["ARGUMENTS"] = Call("json.dumps", {}, (arguments,))
        parts.functions["run_workflow"] = python_tasks.workflow_function(source, mask=False)
        more = ', variables=os.environ, run=os.environ["RUN"]'
        command: Any = _calling("run_workflow", more, parts)
    else:
        line = ["meltano", *task.command] if task.engine == "meltano" else list(task.command)
        command = literally(command_line(shlex.join(line)))
        if secrets:
            command = _calling("run_command", "", parts)
            arguments = {"command": [literally(word) for word in line], "secrets": secrets}
            values["ARGUMENTS"] = Call("json.dumps", {}, (arguments,))
            parts.functions["run_command"] = in_file.run_command(_references(source), source.plan.region)
    if secrets and not task.runtime:
        raise InputError(
            f"task {task.name!r} of schedule {source.schedule.name!r} has secrets, and its image has no Python that "
            "could read them",
            fix="export it with --operator ecs, or use an image with Python and boto3 and say python: true",
        )
    return operator(
        "DockerOperator",
        task,
        image=_image(source, task, parts),
        **({"entrypoint": ["python3", "-c"]} if isinstance(command, Code) else {}),
        command=[command] if isinstance(command, Code) else command,
        environment=values,
        docker_url="unix://var/run/docker.sock",
        network_mode="host",
        auto_remove="force",
        mount_tmp_dir=False,
        tty=True,
        cpus=task.cpu_units / 1024,
        mem_limit=f"{task.memory_mib}m",
        execution_timeout=minutes(task.timeout_minutes),
    )


def _calling(function: str, more: str, parts: Parts) -> Code:
    """The constant that holds a program: a function of the file, called with the arguments of the task."""
    parts.imports |= {"import inspect", "import json"}
    name = f"{function.upper()}_PROGRAM"
    parts.programs[name] = in_file.program(function, more)
    return Code(name)


def _image(source: Source, task: FargateTask, parts: Parts) -> str:
    image = source.definition(task).image
    if image.kind == "registry":
        return literally(image.reference)
    variable = IMAGE if task.engine == "meltano" else f"{task.engine}_image"
    parts.settings[variable] = f"the image of task {task.name}, which the worker's Docker can pull"
    return f"{{{{ var.value.{variable} }}}}"


def _references(source: Source) -> list[str]:
    tasks = [task for task in source.tasks if task.engine != "openmetadata"]
    return sorted({reference for task in tasks for reference in source.secrets(task).values()})
