"""`PythonOperator` and `PythonVirtualenvOperator`: an OpenMetadata workflow runs in the Airflow worker."""

from __future__ import annotations

from typing import Any

from penstock.bundle.export import in_file
from penstock.bundle.export.literals import Call, Code, multiline
from penstock.bundle.export.target import Operator
from penstock.bundle.export.work import Parts, Source, constant, environment, literally, minutes, operator, refuse_files
from penstock.versions.ingestion_package import requirements
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.workflow_types import WORKFLOW_TYPES

VENVS = "/tmp/airflow-venvs"  # noqa: S108  the one folder that every worker may write to, MWAA's too
RUN = "{{ ti.dag_id }}/{{ run_id }}/{{ ti.task_id }}/{{ ti.try_number }}"


def build(source: Source, task: FargateTask, parts: Parts) -> Call:
    """A workflow as a call of the operator.

    Raises:
        InputError: the task has files.
    """
    refuse_files(source, task)
    isolated = source.target.operator is Operator.virtualenv
    name = "PythonVirtualenvOperator" if isolated else "PythonOperator"
    parts.imports |= {"from datetime import timedelta", source.target.standard("python", name)}
    needed = workflow_arguments(source, task, parts)
    if needed.get("secrets") and not isolated:
        parts.imports.add(source.target.mask_secret)
    parts.functions["run_workflow"] = workflow_function(source, mask=not isolated)
    more: dict[str, Any] = {}
    if isolated:
        parts.constants |= {"REQUIREMENTS": list(workflow_requirements(source))}
        more = {"requirements": Code("REQUIREMENTS"), "venv_cache_path": VENVS, "system_site_packages": False}
    return operator(
        name,
        task,
        python_callable=Code("run_workflow"),
        op_kwargs=needed,
        **more,
        execution_timeout=minutes(task.timeout_minutes),
    )


def workflow_arguments(source: Source, task: FargateTask, parts: Parts) -> dict[str, Any]:
    """The arguments of the file's `run_workflow`."""
    config = constant(task, "CONFIG")
    parts.constants[config] = Code(multiline(literally(source.config(task))))
    row = WORKFLOW_TYPES[task.workflow_type or ""]
    arguments: dict[str, Any] = {
        "config": Code(config),
        "workflow": f"metadata.workflow.{row.module}.{row.class_name}",
        "variables": environment(source, task, parts),
    }
    if _all_secrets(source):
        arguments["secrets"] = source.secrets(task)
    return {**arguments, "run": RUN}


def workflow_function(source: Source, *, mask: bool) -> str:
    """Source of `run_workflow` for the workflows of the schedule."""
    return in_file.run_workflow(_all_secrets(source), source.plan.region, mask=mask)


def _all_secrets(source: Source) -> list[str]:
    tasks = [task for task in source.tasks if task.engine == "openmetadata"]
    return sorted({reference for task in tasks for reference in source.secrets(task).values()})


def workflow_requirements(source: Source) -> tuple[str, ...]:
    """What pip is to install for the schedule's workflows."""
    tasks = [task for task in source.tasks if task.engine == "openmetadata"]
    types = [name for task in tasks if (name := source.source_type(task)) is not None]
    asked = requirements(source.openmetadata, types, [task.workflow_type or "" for task in tasks])
    return (*asked, *["boto3"] * bool(_all_secrets(source)))
