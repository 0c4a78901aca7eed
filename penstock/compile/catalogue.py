"""`airflow.catalogue`: the schedule that brings MWAA's own metadata into OpenMetadata, and its workflow.

The workflow is an OpenMetadata file as a person would write it, made here; all else is as for the project's own tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.aws.mwaa import MAX_REST_PATH
from penstock.compile.inputs import Inputs
from penstock.compile.work import Work, pipeline_name, workflow_work
from penstock.problem import Problem
from penstock.project.airflow import catalogue
from penstock.project.airflow.catalogue import JOB, TASK, Catalogue, Choice
from penstock.project.jobs import interval
from penstock.project.jobs.schedules import ScheduleSettings
from penstock.versions.number import parse
from penstock_runtime.contract import AIRFLOW_URL_VARIABLE
from penstock_runtime.plan.airflow import AirflowCatalogue
from penstock_runtime.plan.task_definition import Secret

DATABASE_SECRET = "airflow-database"  # noqa: S105  a name
DISCOVERY = "airflow-database-address"
"""The DAG that finds the database."""
_FIELDS = ("host", "port", "database", "user", "password")
HERE = ("airflow", "catalogue")
TASKS_PATH = "/dags/{}/tasks"
"""Where the package reads the tasks of a DAG (openmetadata-ingestion 1.12, `MWAAClient.get_dag_tasks`)."""

FAILS_SINCE = (1, 13)
"""From here on the package gives up a DAG whose tasks it cannot read (openmetadata-ingestion 1.13.6 and 2.0.7,
`AirflowApiSource.get_pipelines_list`); 1.12 goes on without them."""


@dataclass(frozen=True)
class Catalogued:
    """The option, worked out."""

    settings: Catalogue
    choice: Choice
    environment: str

    @property
    def service(self) -> str:
        """The pipeline service in OpenMetadata."""
        return self.settings.service or self.environment


def catalogued(inputs: Inputs) -> Catalogued | None:
    """What `airflow.catalogue` asks for; None: nothing, or what `problems` refuses."""
    settings = catalogue.settings_of(inputs.settings.airflow.catalogue)
    choice = _choice(inputs, settings)
    if settings is None or not isinstance(choice, Choice):
        return None
    return Catalogued(settings, choice, inputs.settings.airflow.environment or inputs.prefix)


def problem(inputs: Inputs) -> Problem | None:
    """Why no way works with this version of Airflow, which need not be the project's."""
    choice = _choice(inputs, catalogue.settings_of(inputs.settings.airflow.catalogue))
    return choice if isinstance(choice, Problem) else None


def _choice(inputs: Inputs, settings: Catalogue | None) -> Choice | Problem | None:
    server = inputs.settings.openmetadata
    if settings is None or server is None:
        return None
    return catalogue.choose(server.version, inputs.airflow_version, wanted=settings.way)


def planned(inputs: Inputs) -> AirflowCatalogue | None:
    """What the plan says of it."""
    found = catalogued(inputs)
    if found is None:
        return None
    by_database = found.choice.way == "database"
    return AirflowCatalogue(
        way=found.choice.way,
        reason=found.choice.reason,
        environment=found.environment,
        service=found.service,
        dag_id=inputs.settings.airflow.dag_id(JOB),
        secret=secret_name(inputs) if by_database else None,
        discovery_dag_id=inputs.settings.airflow.dag_id(DISCOVERY) if by_database else None,
        discovery_cron=interval.read(found.settings.discovery_interval, "")[0] if by_database else None,
    )


def long_ids(inputs: Inputs, dag_ids: Iterable[str]) -> Iterator[str]:
    """Warnings about DAGs whose id is too long for the paths of MWAA's REST API."""
    found = catalogued(inputs)
    if found is None or found.choice.way != "rest":
        return
    too_long = sorted(dag_id for dag_id in dag_ids if len(TASKS_PATH.format(dag_id)) > MAX_REST_PATH)
    if too_long:
        others = f" and {len(too_long) - 1} others" if len(too_long) > 1 else ""
        room = MAX_REST_PATH - len(TASKS_PATH.format(""))
        server = inputs.settings.openmetadata
        drops = server is not None and (parse(server.version) or ()) >= FAILS_SINCE
        becomes = "is a failed record of the run" if drops else "comes into OpenMetadata without its tasks"
        yield inputs.warning(
            f"MWAA's REST API takes paths of {MAX_REST_PATH} characters: DAG {too_long[0][:80]!r}{others}, with an id "
            f"of more than {room}, {becomes}",
            *HERE,
        )


def secret_name(inputs: Inputs) -> str:
    """The secret that the discovery DAG writes, and that ECS hands to the task."""
    return f"{inputs.prefix}/{DATABASE_SECRET}"


def secrets(inputs: Inputs) -> dict[str, Secret]:
    """The fields of that secret, as secrets of the task; none by the REST API."""
    found = catalogued(inputs)
    if found is None or found.choice.way != "database":
        return {}
    return {_name(field): Secret(_name(field), "secretsmanager", secret_name(inputs), field) for field in _FIELDS}


def work(inputs: Inputs, found: Catalogued) -> Work:
    """What the task does."""
    made = workflow_work(inputs, "metadata", workflow(inputs, found), pipeline_name(inputs, JOB, TASK))
    if found.choice.way == "rest":
        return made.of_airflow(rest_api_of=found.environment)
    return made.of_airflow(secrets=tuple(_name(field) for field in _FIELDS), runs_beside="airflow")


def schedule_settings(found: Catalogued) -> ScheduleSettings:
    """What holds for its schedule, besides the project's defaults."""
    return ScheduleSettings(paused=found.settings.paused, catchup=False)


def workflow(inputs: Inputs, found: Catalogued) -> dict[Any, Any]:
    """The workflow file."""
    connection: dict[str, Any] = {
        "type": "Airflow",
        "hostPort": found.settings.url or f"${{{AIRFLOW_URL_VARIABLE}}}",
        "numberOfStatus": 10,
        "connection": _rest(inputs, found) if found.choice.way == "rest" else _database(),
    }
    return {
        "source": {
            "type": "airflow",
            "serviceName": found.service,
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": {"type": "PipelineMetadata"}},
        },
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {"loggerLevel": "INFO"},
    }


def _rest(inputs: Inputs, found: Catalogued) -> dict[str, Any]:
    aws = {"awsRegion": inputs.settings.region}
    mwaa = {"mwaaEnvironmentName": found.environment, "awsConfig": aws}
    return {"type": "RestAPI", "authConfig": {"mwaaConfig": mwaa}}


def _database() -> dict[str, Any]:
    host, port, database, user, password = (f"${{{_name(field)}}}" for field in _FIELDS)
    return {
        "type": "Postgres",
        "username": user,
        "authType": {"password": password},
        "hostPort": f"{host}:{port}",
        "database": database,
        # MWAA's own database asks for TLS, others may not have it.
        "sslMode": "prefer",
    }


def _name(field: str) -> str:
    return f"AIRFLOW_DATABASE_{field.upper()}"
