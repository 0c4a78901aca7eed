"""`BashOperator`: Meltano and plain commands run in the Airflow worker, OpenMetadata's workflows by its own command."""

from __future__ import annotations

import json
import shlex
from typing import Any

import yaml

from penstock.bundle.export import in_file
from penstock.bundle.export.literals import Call, Code, multiline
from penstock.bundle.export.python_tasks import RUN
from penstock.bundle.export.work import (
    Parts,
    Source,
    command_line,
    constant,
    environment,
    literally,
    minutes,
    operator,
    refuse_files,
)
from penstock_runtime.fill import PLACEHOLDER
from penstock_runtime.plan.schedule import FargateTask

COMMANDS = {
    "metadata": "ingest",
    "dbt": "ingest",
    "elasticSearchReindex": "ingest",
    "lineage": "ingest",
    "usage": "usage",
    "profiler": "profile",
    "TestSuite": "test",
    "autoClassification": "classify",
    "application": "app",
}
"""Workflow type → subcommand of `metadata`. Source: openmetadata-ingestion 1.12.14.2, metadata/cmd.py."""
_RUN_ID = "import sys, uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, sys.argv[1]))"
PROJECT = "meltano_project"
"""Airflow variable with the Meltano project's folder on the worker."""


def build(source: Source, task: FargateTask, parts: Parts) -> Call:
    """A task as a call of the operator.

    Raises:
        InputError: the task has files.
    """
    refuse_files(source, task)
    parts.imports |= {"from datetime import timedelta", source.target.standard("bash", "BashOperator")}
    values: dict[str, Any] = dict(environment(source, task, parts))
    if task.engine == "meltano":
        parts.settings[PROJECT] = "the folder of the Meltano project on the worker, with its plugins installed"
        values["MELTANO_PROJECT_ROOT"] = f"{{{{ var.value.{PROJECT} }}}}"
    secrets = source.secrets(task)
    lines = [*_exports(source, task, secrets, parts, values), *_command(source, task, parts, values)]
    command: Any = command_line(lines[0]) if len(lines) == 1 else "\n".join(["set -euo pipefail", *lines])
    if len(lines) > 1:
        name = constant(task, "COMMAND")
        parts.constants[name] = Code(multiline(command + "\n"))
        command = Code(name)
    return operator(
        "BashOperator",
        task,
        bash_command=command,
        **({"env": dict(sorted(values.items())), "append_env": True} if values else {}),
        execution_timeout=minutes(task.timeout_minutes),
    )


def _command(source: Source, task: FargateTask, parts: Parts, values: dict[str, Any]) -> list[str]:
    if task.engine == "meltano":
        return [literally(shlex.join(["meltano", *task.command]))]
    if task.engine == "command":
        return [literally(shlex.join(task.command))]
    name = constant(task, "CONFIG")
    parts.constants[name] = Code(multiline(literally(_quoted(source.config(task)))))
    values["CONFIG"] = Code(name)
    for variable in {*task.names} & {*task.environment}:
        values[variable] = literally(json.dumps(task.environment[variable], ensure_ascii=False)[1:-1])
    values["RUN"] = RUN
    return [
        f'PIPELINE_RUN_ID="$(python3 -c \'{_RUN_ID}\' "$RUN")"',
        "export PIPELINE_RUN_ID",
        'config="$(mktemp --suffix=.yaml)"',
        "trap 'rm -f \"$config\"' EXIT",
        'printf \'%s\' "$CONFIG" > "$config"',
        f'metadata {COMMANDS[task.workflow_type or ""]} -c "$config"',
    ]


def _exports(
    source: Source, task: FargateTask, secrets: dict[str, str], parts: Parts, values: dict[str, Any]
) -> list[str]:
    """Lines that read the task's secrets into variables of the shell; `metadata` fills them in, within quotes."""
    if not secrets:
        return []
    parts.constants["READ_SECRET"] = Code(multiline(_script(source)))
    values["READ_SECRET"] = Code("READ_SECRET")
    quoted = " --in-quotes" if task.engine == "openmetadata" else ""
    read = 'python3 -c "$READ_SECRET"'
    return [
        line
        for name, reference in secrets.items()
        for line in (f'{name}="$({read} {shlex.quote(reference)}{quoted})"', f"export {name}")
    ]


def _script(source: Source) -> str:
    """A program that prints the secret which its argument names."""
    tasks = source.tasks
    references = sorted({reference for task in tasks for reference in source.secrets(task).values()})
    workflows = any(task.engine == "openmetadata" for task in tasks)
    needs_json = workflows or any("#" in reference for reference in references)
    lines = [
        *["import json"] * needs_json,
        "import sys",
        "",
        "import boto3",
        "",
        f'region = "{source.plan.region}"',
        "",
        "",
    ]
    tail = ["", "", "value = read_secret(sys.argv[1])"]
    if workflows:
        tail += ['if sys.argv[2:] == ["--in-quotes"]:', "    value = json.dumps(value, ensure_ascii=False)[1:-1]"]
    return "\n".join([*lines, in_file.read_secret(references, documented=False).rstrip(), *tail, "print(value)", ""])


class _Quoted(str):
    pass


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Quoted, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style='"')
)


def _quoted(config: str) -> str:
    """The workflow file with its `${NAME}` in double quotes: `metadata` fills them before it reads the YAML."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        return _Quoted(value) if isinstance(value, str) and PLACEHOLDER.search(value) else value

    data = {"pipelineRunId": "${PIPELINE_RUN_ID}", **yaml.safe_load(config)}
    dumped: str = yaml.dump(walk(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
    return dumped
