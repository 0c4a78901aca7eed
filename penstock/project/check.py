"""Every check of one environment of a project, in the order in which a reader of the file meets what they are about.

What types say is checked before, by the models; what is in other files is checked as these are read, in `load`.
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.airflow.checks import check_airflow_choice
from penstock.project.airflow.mwaa_checks import check_create
from penstock.project.document.report import Report
from penstock.project.ecs.checks import check_logs
from penstock.project.iam.checks import check_boundary, check_tags
from penstock.project.meltano.project import MeltanoProject
from penstock.project.network.checks import check_network
from penstock.project.observability.checks import check_observability
from penstock.project.openmetadata.checks import check_openmetadata
from penstock.project.rules.catalogue import check_catalogue
from penstock.project.rules.files.checks import check_certificate, check_files
from penstock.project.rules.images import check_images
from penstock.project.rules.jobs import check_jobs
from penstock.project.rules.meltano.checks import check_meltano
from penstock.project.rules.memory import check_memory
from penstock.project.rules.operators import check_operators
from penstock.project.rules.permissions import check_permissions
from penstock.project.rules.references import in_tasks
from penstock.project.rules.schedules import check_overdue, check_schedules
from penstock.project.rules.subnets import check_subnets
from penstock.project.rules.web_access import check_web_access
from penstock.project.secrets.checks import check_names, check_secret_keys, unknown_name
from penstock.project.settings import Settings


def check(settings: Settings, report: Report, meltano: MeltanoProject | None) -> Iterator[Problem]:
    """All that can be known without the files that tasks name.

    Args:
        report: of the project file as this environment has it.
        meltano: None: the project has none, or it could not be read.
    """
    yield from _check_secrets(settings)
    yield from check_network(settings.network, settings.region)
    yield from check_subnets(settings)
    yield from _check_airflow(settings, report)
    yield from check_logs(settings.logs, settings.region)
    yield from check_boundary(settings.iam.permissions_boundary, settings.region, settings.account)
    yield from check_tags(settings.tags)
    yield from check_images(settings)
    yield from check_permissions(settings)
    yield from check_memory(settings)
    yield from check_secret_keys(settings.secret_kms_keys, settings.secrets, settings.region)
    yield from check_openmetadata(settings.openmetadata, settings.secrets, settings.variables)
    yield from check_certificate(settings)
    if meltano is not None:
        yield from check_meltano(settings, meltano)
    yield from check_jobs(settings, report.root)
    yield from check_files(settings)
    yield from check_operators(settings)
    yield from check_schedules(settings, meltano)
    yield from check_observability(settings.observability, settings.region)
    yield from check_overdue(settings, meltano)
    yield from check_catalogue(settings)
    yield from in_tasks(settings, report)


def _check_secrets(settings: Settings) -> Iterator[Problem]:
    yield from check_names(settings.secrets, settings.variables, settings.region)
    warehouse = settings.embedded.warehouse if settings.embedded else None
    for part, name in (warehouse.model_dump() if warehouse else {}).items():
        yield from unknown_name(name, {*settings.secrets, *settings.variables}, "embedded", "warehouse", part)


def _check_airflow(settings: Settings, report: Report) -> Iterator[Problem]:
    airflow = settings.airflow
    makes_network = settings.network.create is not None
    yield from check_airflow_choice(airflow, settings.region, settings.account, makes_network=makes_network)
    if airflow.create is None:
        return
    yield from check_create(
        airflow.create,
        region=settings.region,
        account=settings.account,
        variables=settings.variables,
        secrets=settings.secrets,
        line=report.line,
    )
    yield from check_web_access(settings)
