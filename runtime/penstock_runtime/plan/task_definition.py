"""What a plan says of its task definitions: images, secrets, permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from penstock_runtime.plan.schedule import Engine

Architecture = Literal["x86_64", "arm64"]


@dataclass(frozen=True)
class Secret:
    """A reference to a secret. The value is nowhere in a plan."""

    name: str
    """The environment variable that a container gets: `OM_JWT`."""
    store: Literal["secretsmanager", "ssm"]
    id: str
    """Name or full ARN in Secrets Manager; parameter name (with its leading `/` where it has one) in SSM."""
    key: str | None = None
    """Field of a JSON secret; None for the whole value. Secrets Manager only."""


@dataclass(frozen=True)
class Image:
    """What a container is made of."""

    kind: Literal["registry", "cached", "built"]
    reference: str
    """`registry`: an image reference that ECS can pull. `cached`: `<prefix>/<repository>:<tag>` in the ECR of the
    plan's own account and region, which pulls it through. `built`: the recipe, a folder under `runtime/images/`."""
    context: str | None = None
    """`built` only: the folder that goes into the image, relative to the project file."""
    credentials: Secret | None = None
    """`registry` only: the secret with `username` and `password` of a private registry."""


@dataclass(frozen=True)
class PullThrough:
    """A rule of ECR's pull-through cache that the deploy makes."""

    prefix: str
    """What the cached repositories' names start with; one rule for each in an account and region."""
    upstream: str
    """The registry's address in ECR's form: `registry-1.docker.io`."""
    credentials: str | None = None
    """Full ARN of the secret with the registry's log-in; its name starts with `ecr-pullthroughcache/`."""


@dataclass(frozen=True)
class Permission:
    """What a task's own role may do besides what Penstock itself needs."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: dict[str, dict[str, list[str]]]
    """Operator to key to values, as IAM has them."""
    reason: str
    """Why its wildcards are needed; empty where it has none."""


@dataclass(frozen=True)
class TaskDefinition:
    """One ECS task definition. Size is not part of it: RunTask overrides CPU, memory and storage."""

    family: str
    """`<project>-<environment>-<engine>-<digest>`, at most 64 characters here (ECS allows 255)."""
    role_prefix: str
    """Role names are `<role_prefix>-task` and `<role_prefix>-exec`; unique in an account over all regions."""
    engine: Engine
    image: Image
    architecture: Architecture
    secrets: tuple[Secret, ...]
    cpu_units: int
    """The largest CPU among its tasks; RunTask overrides it per task."""
    memory_mib: int
    permissions: tuple[Permission, ...] = ()
    read_only_root: bool = False
    """Whether the container may write nowhere but in /tmp."""
    secret_kms_keys: tuple[str, ...] = ()
    """ARNs of the KMS keys that encrypt its secrets and its registry's log-in; AWS's own are not among them."""
    files: bool = False
    """Whether a task of it gets a file of the project, so that its role may read those."""
    meltano_state: str | None = None
    """Meltano only: where the project itself has its state kept, such as `s3://bucket/prefix`; None: in the artifacts
    bucket."""
    stack: str | None = None
    """The stack of its own kind that it is in: a hex digit; None: it is with the cluster."""
    runtime: bool = True
    """Whether the container starts Penstock's runtime; otherwise it has the image's own entry point."""
    rest_api_of: str | None = None
    """Name of the MWAA environment whose REST API its tasks read, as Airflow's Viewer; None: they read none."""
