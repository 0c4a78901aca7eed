"""The shape of `penstock.yaml`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from penstock.project.airflow.model import Airflow
from penstock.project.ecs.images import Images
from penstock.project.ecs.model import Ecs, Logs
from penstock.project.embedded import Embedded
from penstock.project.iam.model import Iam
from penstock.project.jobs.schedules import Schedule, ScheduleSettings
from penstock.project.jobs.tasks import Job, TaskSettings
from penstock.project.meltano.model import Meltano
from penstock.project.network.model import ACCOUNT, Network
from penstock.project.observability.model import Observability
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.schema.model import Strict
from penstock.project.schema.names import VARIABLE_NAME_PATTERN, Value
from penstock.project.schema.patterns import worded_pattern
from penstock_runtime.contract import SERVER_VARIABLE

PROJECT_NAME = worded_pattern(
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    "a name in lower case",
    "use lower case and digits, with single dashes between them, a letter first: data-platform",
)
ENVIRONMENT_NAME = PROJECT_NAME
MAX_PROJECT_NAME = 20
MAX_ENVIRONMENT_NAME = 12
"""Role names (64 characters in IAM) start with project, environment and a digest; hence the limits."""

_NAMED: dict[str, Any] = {"propertyNames": {"pattern": VARIABLE_NAME_PATTERN}}

# Of up to four letters: eusc-de-east-1 is the European Sovereign Cloud's.
_REGION = worded_pattern(r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$", "an AWS region", "write its code, such as eu-west-1")


class Defaults(Strict):
    """What tasks and schedules get that say nothing themselves."""

    task: TaskSettings = TaskSettings()
    """For every task."""
    schedule: ScheduleSettings = ScheduleSettings()
    """For every schedule."""


class EnvironmentSettings(Strict):
    """What an environment may set, over what the top level says: mappings are merged, other values replaced."""

    account: str | None = Field(None, pattern=ACCOUNT)
    """AWS account: twelve digits, in quotes. Default: the account of the credentials at hand."""
    region: str = Field(pattern=_REGION)
    """AWS region."""
    protected: bool = False
    """Whether its stacks have termination protection: CloudFormation, and so `cdk destroy`, refuses to delete them."""
    network: Network
    """Where tasks and Airflow run."""
    airflow: Airflow
    """The Airflow that runs the schedules."""
    openmetadata: OpenMetadata | None = None
    """The OpenMetadata server."""
    meltano: Meltano | None = None
    """The Meltano project."""
    secrets: dict[str, Value] = Field(default_factory=dict, json_schema_extra=_NAMED)
    """Name → reference: `secretsmanager:<name or ARN>[#<key of a JSON secret>]` or `ssm:<parameter>`.

    Prefer the full ARN: it is what ECS's reference asks for."""
    # Ours: each takes 80 characters in a role of every task definition, and those share a template of 1 MB.
    secret_kms_keys: list[str] = Field(default_factory=list, max_length=10)
    """ARNs of the KMS keys of your own that encrypt these secrets and parameters, at most 10. ECS may decrypt with
    them for the tasks that have secrets, by way of Secrets Manager and SSM. AWS's own keys need no mention."""
    variables: dict[str, Value] = Field(default_factory=dict, json_schema_extra=_NAMED)
    """Name → value, not secret."""
    observability: Observability = Observability()
    """Dashboard, alarms, messages about tasks that failed."""
    defaults: Defaults = Defaults()
    """What tasks and schedules get that say nothing themselves."""
    ecs: Ecs = Ecs()
    """The ECS cluster, and what all its containers have in common."""
    images: Images = Images()
    """Where images come from, engine by engine."""
    logs: Logs = Logs()
    """The log of the tasks."""
    iam: Iam = Iam()
    """What an organization asks of every role."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags of everything that the deploy makes, and of the Fargate tasks: key → value."""


class Settings(EnvironmentSettings):
    """The project as one environment has it."""

    name: str = Field(pattern=PROJECT_NAME, max_length=MAX_PROJECT_NAME)
    """The project's name: lower case, digits and dashes, at most 20 characters."""
    embedded: Embedded | None = None
    """What the embedded mode brings along. Read by `penstock up` only."""
    jobs: dict[str, Job] = Field(default_factory=dict)
    """Name → job."""
    schedules: list[Schedule] = Field(default_factory=list)
    """When jobs run."""


def known_names(settings: Settings) -> set[str]:
    """What `${NAME}` may name in a workflow file."""
    return {*settings.secrets, *settings.variables, SERVER_VARIABLE}
