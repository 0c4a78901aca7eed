"""The VPC endpoints of a network without internet: which ones it has, and what it lacks without those left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from penstock.aws.arns import partition_of
from penstock.aws.endpoints import (
    AGENT_ENDPOINTS,
    AIRFLOW_ENDPOINTS,
    BACKEND_STORES,
    COMMERCIAL_ENDPOINTS,
    ENDPOINTS,
    SECRET_ENDPOINTS,
    TASK_ENDPOINTS,
)
from penstock.problem import DocumentPath
from penstock.project.network.hosts import is_sealed
from penstock.project.secrets.references import region_of
from penstock.project.settings import Settings
from penstock_runtime.plan.network import AGENT_REGIONS
from penstock_runtime.plan.task_definition import Secret, TaskDefinition

_ENVIRONMENT = ("kms", "logs", "monitoring", "sqs")
"""What no environment of MWAA comes up without, besides S3. Amazon MWAA User Guide, "Creating the required VPC service
endpoints in an Amazon VPC with private routing": its list, and the template in "Creating a VPC network", have these and
not the three of Airflow's own, which regions may lack."""
_START = ("ecr.api", "ecr.dkr", "logs", *AGENT_ENDPOINTS)
"""What Fargate calls to start a task (see `TASK_ENDPOINTS`, `AGENT_ENDPOINTS`)."""
REST_ENDPOINT = "airflow.env"
"""What InvokeRestApi is called by (botocore: host prefix `env.`)."""
_OTHERWISE = (
    "take it out of without_endpoints, or lead there by a route of your own, such as a transit gateway, before you "
    "deploy more than the network"
)


def endpoints_of(
    settings: Settings, definitions: Sequence[TaskDefinition], options: Mapping[str, str]
) -> tuple[str, ...]:
    """The services that get one, besides S3.

    Args:
        definitions: the plan's; their secrets say which stores must be reached.
        options: Airflow's.
    """
    create = settings.network.create
    if create is None:
        return ()
    if not is_sealed(settings.network):
        return (REST_ENDPOINT,) if calls_private_airflow(settings, definitions) else ()
    wanted = _needed(settings, definitions, options) | {*create.more_endpoints}
    return tuple(sorted(wanted - {*create.without_endpoints}))


def calls_private_airflow(settings: Settings, definitions: Iterable[TaskDefinition]) -> bool:
    """Whether a task calls InvokeRestApi of an environment whose web server is private, which MWAA takes from inside a
    VPC only (so it is taken to be; not tried in an account). Of one that exists, its access is not known."""
    airflow = settings.airflow.create
    calls = any(definition.rest_api_of is not None for definition in definitions)
    return calls and (airflow is None or airflow.access == "private")


def rest_api_warnings(settings: Settings, definitions: Sequence[TaskDefinition]) -> Iterator[tuple[str, DocumentPath]]:
    """No way to MWAA's REST API that is known: (text, where)."""
    network = settings.network
    if not calls_private_airflow(settings, definitions):
        return
    if network.use is not None:
        text = (
            "where Airflow's web server is private, MWAA takes calls of its REST API from inside the VPC only: the VPC "
            f"needs an endpoint for {REST_ENDPOINT}"
        )
        yield text, ("airflow", "catalogue")
    elif network.create is not None and REST_ENDPOINT in network.create.without_endpoints:
        place = ("network", "create", "without_endpoints", network.create.without_endpoints.index(REST_ENDPOINT))
        yield f"without a way to {REST_ENDPOINT} no task reads Airflow's REST API: {_OTHERWISE}", place


def missing_endpoint_warnings(
    settings: Settings, definitions: Iterable[TaskDefinition], options: Mapping[str, str]
) -> Iterator[tuple[str, DocumentPath]]:
    """What will fail for want of an endpoint that the project leaves out: (text, where).

    A VPC that the deploy makes has none but ours. It may still lead there: where the network stack is deployed first, a
    transit gateway to a VPC with endpoints can be attached to it before the rest. So it is not an error.
    """
    create = settings.network.create
    if create is None or not is_sealed(settings.network):
        return
    left_out = [
        endpoint for endpoint in create.without_endpoints if endpoint in _needed(settings, definitions, options)
    ]
    here = settings.airflow.create is not None
    stores = tuple(SECRET_ENDPOINTS.values())
    for services, what in (
        (_ENVIRONMENT if here else (), "MWAA cannot create the environment, which shows after hours only"),
        (_START, "Fargate starts no task"),
        (("ecs",) if here else (), "Airflow starts no Fargate task"),
        (stores, "nothing reads the secrets that are kept there"),
    ):
        if missing := [endpoint for endpoint in left_out if endpoint in services]:
            place = ("network", "create", "without_endpoints", create.without_endpoints.index(missing[0]))
            yield f"without a way to {_listed(missing)} {what}: {_OTHERWISE}", place


def no_endpoint(caller: str, service: str, endpoint: str, left_out: Collection[str]) -> str:
    """A service that is called and that no endpoint leads to, and what to write for it.

    Args:
        caller: `tasks` or `Airflow`.
        service: what IAM calls it.
        endpoint: what its endpoint is called.
        left_out: the endpoints that the project leaves out.
    """
    if endpoint in left_out:
        advice = f"take {endpoint} out of network.create.without_endpoints"
    else:
        known = "" if service in ENDPOINTS else ", if AWS has one of that name"
        advice = f"add {endpoint} to network.create.more_endpoints{known}"
    return f"{caller} may call {service}, and no VPC endpoint leads there: {advice}"


def cross_region_secret_warnings(
    settings: Settings, definitions: Iterable[TaskDefinition]
) -> Iterator[tuple[str, DocumentPath]]:
    """Secrets that ECS reads in a region where a network without internet has no endpoint: (text, where).

    ECS reads a secret in the region of its ARN, and an endpoint serves one region. As in
    `missing_endpoint_warnings`, the user's own route may lead there.
    """
    if settings.network.create is None or not is_sealed(settings.network):
        return
    for name in sorted(
        {secret.name for definition in definitions for secret in definition.secrets if _is_far(secret, settings)}
    ):
        what = (
            f"secret {name} is in another region, and endpoints lead to {settings.region} only: no task with it starts"
        )
        yield f"{what}; keep a replica here and name that", ("secrets", name)


def _is_far(secret: Secret, settings: Settings) -> bool:
    return region_of(secret, settings.region) != settings.region


def _needed(settings: Settings, definitions: Iterable[TaskDefinition], options: Mapping[str, str]) -> set[str]:
    needed = {*AIRFLOW_ENDPOINTS, *TASK_ENDPOINTS, *_stores(definitions, options)}
    if partition_of(settings.region) != "aws":
        needed -= {*COMMERCIAL_ENDPOINTS}
    return needed | {*AGENT_ENDPOINTS} if settings.region in AGENT_REGIONS else needed


def _stores(definitions: Iterable[TaskDefinition], options: Mapping[str, str]) -> set[str]:
    """The services that secrets are read from: by ECS for the tasks, by Airflow for its connections."""
    stores = {SECRET_ENDPOINTS[secret.store] for definition in definitions for secret in definition.secrets}
    backend = options.get("secrets.backend", "")
    return stores | {service for name, service in BACKEND_STORES.items() if name in backend}


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
