"""Jobs and their tasks, as the project file has them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from penstock.aws import fargate
from penstock.project.files.model import MAX_FILES, Files
from penstock.project.iam.permissions import Permission
from penstock.project.schema.model import Strict
from penstock.project.schema.names import VARIABLE_NAME_PATTERN, Name, Value
from penstock_runtime.airflow.operators.run_task import DEFAULT_STORAGE_GIB
from penstock_runtime.plan.task_definition import Architecture
from penstock_runtime.workflow_types import WORKFLOW_TYPES

MAX_COMMAND = 4096
"""Characters of a command line, for the same reason."""
MAX_TASKS = 500
"""Tasks of a job."""


class MemoryGrowth(Strict):
    """Memory that grows from one retry to the next, as long as the container runs out of it."""

    start: int
    """Of the first try, in MiB."""
    max: int
    """The most, in MiB. Each try after one that ran out of memory has twice as much as that one, or the next size above
    that Fargate offers."""


class TaskSettings(Strict):
    """How tasks run. In `defaults.task` for all of them, in a task for that one."""

    operator: Literal["ecs", "python", "virtualenv"] | None = None
    """How Airflow starts it. `ecs`: as a Fargate task (default). OpenMetadata's workflows may run in Airflow's
    worker instead. `virtualenv`: with packages of its own, which the worker installs once from a lock
    (`openmetadata.requirements`). `python`: with the packages of Airflow's own Python, among which the ingestion
    package must be. In `defaults.task` the last two are for workflows; Meltano and commands stay with `ecs`."""
    cpu_units: int | None = None
    """CPU, in ECS units: 1024 units are one vCPU. Default 512."""
    memory_mib: int | MemoryGrowth | None = None
    """Hard memory limit, in MiB. Above it ECS kills the container (exit code 137). `{start: 2048, max: 8192}`: a retry
    has more, if the one before ran out of it. Default 1024."""
    ephemeral_storage_gib: int | None = Field(None, ge=DEFAULT_STORAGE_GIB, le=200)
    """Disk, in GiB: 20 (default, without charge) to 200."""
    timeout_minutes: int | None = Field(None, ge=1, le=1440)
    """Wall-clock limit of one run, in minutes, counted from the container's start. Default 60. In an image without
    `python` Airflow keeps it, up to 15 minutes late."""
    spot: bool | None = None
    """Whether to run on Fargate Spot, which is cheaper and may be stopped at two minutes' notice; on demand where Spot
    has no capacity. Default false."""
    architecture: Architecture | None = None
    """Processor: `x86_64` (default) or `arm64`."""
    read_only_root: bool | None = None
    """Whether the container may write nowhere but in /tmp (`ecs.tmp_mib`), which is HOME, too, unless the image is one
    of your own without `python`. Not for Meltano, which writes beside its project: in `defaults.task` it leaves
    Meltano's tasks out. Default false."""
    reattach: bool | None = None
    """What a retry does about the Fargate task of an earlier try that still runs, because Airflow lost sight of it.
    True (default): wait for it, and take its result. False: stop it, and start another."""
    deferrable: bool | None = None
    """Whether Airflow waits for the Fargate task in its triggerer, where a wait takes no worker's slot; its log is
    shown at the end then. Needs `penstock_trigger.py` among Airflow's plugins, where Penstock puts it in an MWAA
    environment that it creates. Default: from Airflow 3.3 on; before that in the worker, since a task that is marked
    failed while it waits in the triggerer may run on."""
    subnets: str | None = None
    """Which of `network.use.subnet_groups` to run in. Default: `network.use.task_subnets`. A network that Penstock
    creates has one place for tasks, its private subnets, so there every task runs in these."""
    fail_on_warnings: bool | None = None
    """OpenMetadata workflows: whether a run fails where the workflow warns, logs an error that it goes on after, has a
    data test that fails, or is to read a query log and reads no query. In `defaults.task` it leaves other tasks out.
    Default false: such a run succeeds, and says so in its log."""
    min_success_percent: int | None = Field(None, ge=1, le=100)
    """OpenMetadata workflows: the least share of records that each step must get through, and of data tests that must
    pass, in percent. The workflow file's own `successThreshold` (90 where it has none) holds in any
    case. In `defaults.task` it leaves other tasks out. Default: that one alone."""
    files: Files | None = Field(None, max_length=MAX_FILES)
    """Files that are in the container when it starts: path there (absolute, or below its working directory) → a file of
    the project, or `{secret: NAME}`. A task's own add to those of its job and of `defaults.task`, and win over them."""

    @field_validator("operator", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if value in ("docker", "bash"):
            raise PydanticCustomError(
                "penstock",
                "operator '{value}' is only for files that `penstock dags export` writes",
                {"value": value, "fix": "use ecs, virtualenv or python here"},
            )
        return value


BASE = TaskSettings(
    operator="ecs",
    cpu_units=512,
    memory_mib=1024,
    ephemeral_storage_gib=DEFAULT_STORAGE_GIB,
    timeout_minutes=60,
    spot=False,
    reattach=True,
    architecture="x86_64",
    read_only_root=False,
    fail_on_warnings=False,
)
"""What holds where neither the task nor `defaults.task` says anything."""


def memory_sizes(run: Mapping[str, Any]) -> tuple[int, ...]:
    """The memory of a task's tries, in MiB, of its settings as `merge_layers` returns them; the pair fits Fargate."""
    memory = run["memory_mib"]
    if isinstance(memory, int):
        return (memory,)
    sizes = [memory.start]
    for size in fargate.MEMORY_MIB[run["cpu_units"]]:
        if size <= memory.max and (size >= 2 * sizes[-1] or (size == memory.max and size > sizes[-1])):
            sizes.append(size)
    return tuple(sizes)


class OpenMetadataTask(Strict):
    """One OpenMetadata workflow."""

    type: str = Field(json_schema_extra={"enum": list(WORKFLOW_TYPES)})
    """The workflow type, OpenMetadata's `pipelineType`."""
    config: str
    """The workflow's YAML file, relative to the project file; OpenMetadata's own format."""


class Task(TaskSettings):
    """One thing that runs: exactly one of `openmetadata`, `meltano` and `command`."""

    name: Name
    """Unique in its job; the Airflow task's id."""
    openmetadata: OpenMetadataTask | None = None
    """An OpenMetadata workflow."""
    meltano: str | None = Field(None, min_length=1)
    """A Meltano run: the arguments of `meltano run`, such as `tap-gitlab target-postgres`."""
    command: str | list[str] | None = Field(None, min_length=1)
    """A plain command: a list of arguments, or a text that is split as a shell would. No shell runs it.
    `${NAME}` of a variable is filled; a secret that it names is an environment variable of the container, and stays
    `${NAME}` in the command, for a shell that you start (`[sh, -c, …]`)."""
    after: list[str] | None = None
    """The tasks of the job that must succeed first. Default: the one before it in the list; `[]`: none."""
    image: str | None = Field(None, min_length=1, max_length=500)
    """The image of a plain command, as ECS can pull it. Default: OpenMetadata's ingestion image. Any image will do: its
    own entry point gets the command, and nothing of Penstock's is in the container; see `python`."""
    python: bool | None = None
    """Whether `image` has Python 3.10 or later as `python3`, and certificates of authorities. True: Penstock's runtime
    starts the command in the place of the image's entry point, ends it at `timeout_minutes`, masks secrets in its log
    and writes its metrics. False (default, but true for OpenMetadata's own images): Airflow stops the Fargate task up
    to 15 minutes after `timeout_minutes`, and where it has lost the run `ecs.reaper` does, 10 to 15 minutes later; its
    log is as the command writes it, and it writes no metrics, so that nobody is notified when it is overdue."""
    env: dict[str, Value] = Field(
        default_factory=dict, json_schema_extra={"propertyNames": {"pattern": VARIABLE_NAME_PATTERN}}
    )
    """Environment variables of the container; `${NAME}` of a variable is filled. Nothing secret."""
    secrets: list[str] = Field(default_factory=list)
    """Secrets that the container gets besides those that the task's files name."""
    permissions: list[Permission] = Field(default_factory=list, max_length=50)
    """What the task's own role may do besides what Penstock needs, for connectors that read AWS services."""


class Job(Strict):
    """A named list of tasks, one after the other; `after` makes it a graph."""

    tasks: list[Task] = Field(min_length=1, max_length=MAX_TASKS)
    """In order."""
    permissions: list[Permission] = Field(default_factory=list, max_length=50)
    """What all its tasks may do, besides their own `permissions`."""
    files: Files = Field(default_factory=dict, max_length=MAX_FILES)
    """Files that all its tasks get, besides their own `files`."""


def wrong_command(texts: Sequence[str]) -> str | None:
    """What is wrong with a command line that is split as a shell would; None where it is good."""
    if sum(map(len, texts)) > MAX_COMMAND:
        return f"is longer than {MAX_COMMAND} characters"
    try:
        parts = [part for text in texts for part in shlex.split(text)]
    except ValueError as error:
        return f"cannot be split into arguments: {str(error).lower()}"
    return _wrong_arguments(parts)


def wrong_line(line: str | Sequence[str]) -> str | None:
    """What is wrong with a command line as a task has it: one text, or its arguments."""
    return wrong_command([line]) if isinstance(line, str) else _wrong_arguments(line)


def _wrong_arguments(arguments: Sequence[str]) -> str | None:
    """Any but the first may be empty."""
    if not arguments:
        return "is empty"
    return None if arguments[0].strip() else "names no program"
