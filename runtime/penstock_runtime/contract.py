"""The names that both sides use: the desk that writes them and the cloud that reads them.

A name is here when two parts of the system must agree on it and they do not import each other.
"""

from __future__ import annotations

from enum import IntEnum

CONTAINER_NAME = "main"
"""The one container of every task definition; RunTask overrides and log streams name it."""

LOG_STREAM_PREFIX = "penstock"
"""awslogs stream prefix. A log stream is `penstock/main/<Fargate task id>` (AWS, "awslogs log driver")."""

# Environment variables that the task definition sets.
RUNTIME_URI = "PENSTOCK_RUNTIME_URI"
"""`s3://` address of the runtime archive, which the entry point fetches."""
RUNTIME_SHA256 = "PENSTOCK_RUNTIME_SHA256"
"""The archive's SHA-256, in hex; another content is refused."""
ARTIFACTS_BUCKET = "PENSTOCK_ARTIFACTS_BUCKET"
"""Name of the bucket that holds workflow configs, the runtime archive and Meltano's state."""
ARTIFACTS_REGION = "PENSTOCK_ARTIFACTS_REGION"
"""Its region: the user may set `AWS_REGION` for something else."""
SECRET_NAMES = "PENSTOCK_SECRET_NAMES"  # noqa: S105  names, no values
"""JSON list: which environment variables hold secrets. Their values are masked in the container's output; if the
variable is missing, those of all `NAMES` are."""
STOP_TIMEOUT_SECONDS = "PENSTOCK_STOP_TIMEOUT_SECONDS"
"""The container's `stopTimeout`, in seconds: what ECS leaves between SIGTERM and SIGKILL. Missing: ECS's default."""
HOME = "PENSTOCK_HOME"
"""Home folder of the engine's process if the root file system is read-only. Empty or missing: the image's own, or
the one that the task sets."""
MELTANO_STATE = "MELTANO_STATE_BACKEND_URI"
"""Meltano's: where it keeps the state of its pipelines."""

# Environment variables that RunTask overrides set, per run.
ENGINE = "PENSTOCK_ENGINE"
"""`openmetadata`, `meltano` or `command`."""
CONFIG_URI = "PENSTOCK_CONFIG_URI"
"""`s3://bucket/key` or `file:///path` of the workflow config; openmetadata only."""
CONFIG_SHA256 = "PENSTOCK_CONFIG_SHA256"
"""The config's SHA-256, in hex."""
WORKFLOW_TYPE = "PENSTOCK_WORKFLOW_TYPE"
"""OpenMetadata's `pipelineType`: metadata, profiler, …"""
DEMANDS = "PENSTOCK_DEMANDS"
"""JSON object: what the task's settings demand of a workflow's results, fail_on_warnings and min_success_percent.
Missing: nothing besides the workflow's own `successThreshold`."""
COMMAND = "PENSTOCK_COMMAND"
"""JSON list: arguments of `meltano`, or the whole command line of a plain command."""
TIMEOUT_SECONDS = "PENSTOCK_TIMEOUT_SECONDS"
"""Wall-clock limit of the run, in seconds, from the container's start."""
RUN = "PENSTOCK_RUN"
"""JSON object that says which run this is: project, environment, schedule, job, task, dag_run, try. The only one of
these that a container without the runtime gets."""
SIZE = "PENSTOCK_SIZE"
"""JSON object: cpu_units and memory_mib that this run was given. For its metrics only: without it they lack memory
against limit, and cost."""
DEADLINE = "PENSTOCK_DEADLINE"
"""Whole seconds since 1970 (UTC): when Airflow stops the Fargate task, which is `timeout_minutes` and the time for its
start after asking for it. In every container, also in one without the runtime: what outlives it was left alone."""
NAMES = "PENSTOCK_NAMES"
"""JSON list of the `${NAME}`s that may be filled in the config; each is an environment variable."""
FILES = "PENSTOCK_FILES"
"""JSON object: path in the container → one of the task's files; the runtime writes it before the engine starts.
See `files.File` for its keys."""
FILES_URI = "PENSTOCK_FILES_URI"
"""`s3://bucket/files` or `file:///folder`: below it, the project's files by their SHA-256."""

# Environment variable that the embedded mode sets.
ROOT = "PENSTOCK_ROOT"
"""Folder that stands for the container's `/` if a task is a process of this machine: the task's files are written
below it, and whatever names one by its path gets the location below it instead. A container has none."""

# Environment variable of Airflow's own processes.
SCHEDULES_FROM = "PENSTOCK_SCHEDULES_FROM"
"""A moment, in ISO 8601 with its offset: schedules that do not catch up start no run for a time before it. The embedded
mode gives the moment at which it started Airflow; MWAA gives none."""

VENVS = "PENSTOCK_VENVS"
"""Folder in which Airflow's workers keep virtual environments of tasks. The embedded mode sets it, MWAA does not."""

# Environment variables between the container's entry point and its engine's process.
REPORT = "PENSTOCK_REPORT"
"""Path of a JSON file that the engine writes: records, failures, warnings; each if it knows them."""

SERVER_VARIABLE = "OPENMETADATA_SERVER"
"""The variable that stands for the server's address if the project sets no `openmetadata.server`."""


AIRFLOW_URL_VARIABLE = "PENSTOCK_AIRFLOW_URL"
"""The variable that stands for the address of Airflow's page in the workflow that catalogues it."""

REAPER_REASON = "Penstock's reaper: "
"""What `stoppedReason` begins with of a task that `functions.reaper` stopped."""


class Exit(IntEnum):
    """Exit codes of a container.

    An engine's own code passes through, even if it is one of these: the line with the outcome and the metric line
    (`ENDED_BY`) say whose it is.
    """

    DONE = 0
    FAILED = 1
    """The engine ran and reported a failure."""
    WRONG_INPUT = 2
    """The task's environment or its config is wrong: a missing variable, an unknown workflow type."""
    ARTIFACT = 65
    """A config or the runtime archive could not be fetched, or has an unexpected hash."""
    TIMED_OUT = 124
    """`timeout_minutes` ran out (as coreutils' `timeout` reports it)."""
    KILLED = 137
    """SIGKILL: out of memory, or still running after the stop timeout (128 + 9)."""
    STOPPED = 143
    """SIGTERM: StopTask or a Spot interruption (128 + 15)."""


# The container's last line, in CloudWatch's embedded metric format.
METRIC_KEY = "_aws"
"""The line's first member (AWS, "Specification: CloudWatch embedded metric format")."""
ENDED_BY = "EndedBy"
"""Its member that says whose the exit code is: `engine`, `signal` (the kernel's) or `penstock`."""


# The bundle, below the folder of one project and environment.
RESOURCES_FILE = "resources.json"
"""Names and ids that exist only after a deploy; see `resources.Resources`."""
RELEASES_FOLDER = "release"
"""Everything else of the bundle is in `release/<hash>/`; the loader files name the hash."""
ENVIRONMENT_FOLDERS = ("requirements", "plugins", "startup")
"""Folders of the files that an MWAA environment starts from, in a DAG bucket that Penstock makes."""
OWN_FILES_FOLDER = "penstock"
"""Folder that holds these in a bucket that Penstock uses only, below the plan's prefix."""

ERROR_TAG = "penstock-error"
"""Marks a DAG that stands for a schedule which could not be built."""

REQUIREMENTS_PREFIX = "requirements"
"""Folder of a release with the locks of its virtual environments; the configs of tasks in workers are in
`CONFIGS_PREFIX`."""

# Keys in the artifacts bucket.
CONFIGS_PREFIX = "configs"
RUNTIME_PREFIX = "runtime"
STATE_PREFIX = "state"
FILES_PREFIX = "files"
"""Files of the project that tasks get."""
PLANS_PREFIX = "plans"
"""The plans of all releases, for `penstock diff` and `penstock push` to compare with; no container reads them."""


# Names of task definitions and their roles, and the patterns that permissions are narrowed to.
FAMILY_DIGITS = 8
"""Hex digits that a family's name ends in. Of 2,560 families, the most in a project, two are alike in one project of
1,300."""
ROLE_DIGITS = 8
"""Hex digits in the name of a task definition's role."""


def config_key(sha256: str) -> str:
    """The key of a workflow config in the artifacts bucket."""
    return f"{CONFIGS_PREFIX}/{sha256}.yaml"


def runtime_key(sha256: str) -> str:
    """The key of the runtime archive in the artifacts bucket."""
    return f"{RUNTIME_PREFIX}/{sha256}.zip"


def plan_key(sha256: str) -> str:
    """The key of a plan in the artifacts bucket."""
    return f"{PLANS_PREFIX}/{sha256}.json"


def file_key(sha256: str) -> str:
    """The key of a file of the project in the artifacts bucket."""
    return f"{FILES_PREFIX}/{sha256}"


def log_stream(task_arn: str) -> str:
    """The CloudWatch log stream of one Fargate task."""
    return f"{LOG_STREAM_PREFIX}/{CONTAINER_NAME}/{task_arn.rsplit('/', 1)[-1]}"


MAX_ROLE_NAME = 64
"""Source: IAM User Guide, "IAM and AWS STS quotas"."""


def endpoint_role_name(prefix: str, environment: str, region: str) -> str:
    """The role that makes MWAA's endpoints in a shared VPC: the VPC's owner trusts it by this name.

    Args:
        prefix: of all roles that have a name.
        environment: the MWAA environment.
    """
    return f"{prefix}{environment}-{region}-mwaa-endpoints"
