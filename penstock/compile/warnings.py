"""What works, and may be unintended, about the Airflow of a plan: each with its place in the project file."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from penstock.aws import regions
from penstock.aws.arns import partition_of
from penstock.aws.endpoints import ENDPOINTS
from penstock.compile import mwaa, option_warnings, secrets_backend
from penstock.compile.endpoints import no_endpoint
from penstock.problem import DocumentPath
from penstock.project.airflow import plugins
from penstock.project.airflow.mwaa import CreateAirflow
from penstock.project.loaded import Project
from penstock.project.network.hosts import is_sealed
from penstock.project.rules import shared_airflow
from penstock.project.settings import Settings
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow


def warnings(
    project: Project,
    environment: str,
    airflow: Airflow | UsedAirflow | SelfManagedAirflow,
    dags: int,
    endpoints: Collection[str],
) -> Iterator[tuple[str, DocumentPath]]:
    """(text, where) for one environment of a project.

    Args:
        dags: how many DAGs its plan has.
        endpoints: the services that its network has an endpoint of, besides S3.
    """
    settings = project.settings(environment)
    create = settings.airflow.create
    if create is not None and isinstance(airflow, Airflow):
        for text, key in mwaa.warnings(create, airflow, dags):
            yield text, ("airflow", "create", *key)
        wanted = create.requirements
        packages = project.mwaa_files.texts[wanted.file] if wanted is not None else ""
        for text, option in option_warnings.warnings(create.options, airflow.version, packages):
            yield text, ("airflow", "create", "options", option)
        yield from _of_the_plugins(project, create)
        yield from _of_the_backend(settings, airflow)
        yield from _without_endpoint(settings, airflow, endpoints)
    everywhere = {name: each_environment.settings for name, each_environment in project.environments.items()}
    own_files = bool(project.dag_folder.files)
    yield from shared_airflow.warnings(environment, everywhere, project.meltanos, dag_files=own_files)


def _of_the_plugins(project: Project, create: CreateAirflow) -> Iterator[tuple[str, DocumentPath]]:
    """An archive of the folder instead of its content: what imports from the folder finds nothing on MWAA."""
    if create.plugins is not None and (top := plugins.folder_around(project.mwaa_files.archives[create.plugins])):
        text = f"all of plugins.zip is below {top[:60]}/, and MWAA imports from above it: pack what is in the folder "
        text += f"(cd {top[:60]}; zip -r ../plugins.zip .), or name the folder itself: plugins: {top[:60]}"
        yield text, ("airflow", "create", "plugins")


def _of_the_backend(settings: Settings, airflow: Airflow) -> Iterator[tuple[str, DocumentPath]]:
    """Connections that Airflow looks for where its role may not read: AWS says AccessDenied in each task's log."""
    permission = secrets_backend.lacking(
        airflow.options,
        airflow.permissions,
        partition=partition_of(settings.region),
        region=settings.region,
        account=settings.account,
    )
    if permission is not None:
        yield (
            "the execution role may not read everywhere that this backend looks: add to airflow.create "
            f"permissions: [{permission}]",
            ("airflow", "create", "options", "secrets.backend"),
        )


def _without_endpoint(
    settings: Settings, airflow: Airflow, with_endpoint: Collection[str]
) -> Iterator[tuple[str, DocumentPath]]:
    """Services that Airflow may call and does not reach: `reach.without_endpoint` has those of the tasks."""
    network = settings.network.create
    if network is None or not is_sealed(settings.network):
        return
    seen = {*with_endpoint}
    for index, permission in enumerate(airflow.permissions):
        for service in dict.fromkeys(action.partition(":")[0] for action in permission.actions):
            endpoint = ENDPOINTS.get(service, service)
            if endpoint is None or endpoint in seen:
                continue
            seen.add(endpoint)
            text = no_endpoint("Airflow", service, endpoint, network.without_endpoints)
            yield text, ("airflow", "create", "permissions", index, "actions")


def region_warnings(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A region that is not in the table: mistyped, without MWAA, or newer. The text, and where it is about."""
    region = settings.region
    if region not in regions.MWAA and settings.airflow.self_managed is None:
        text = f"{region} is not in the table of {regions.CHECKED} of the regions that have Amazon MWAA"
        yield f"{text}, without which the deploy fails: check its name, and AWS's own list", ("region",)
