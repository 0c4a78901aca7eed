"""`airflow.catalogue` in the plan: the schedule, its workflow, its rights, and the files that come with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.bundle.build import build_bundle
from penstock.compile.compiler import compile_plan
from penstock.home import DAGS
from penstock.local import secrets
from penstock_runtime.errors import InputErrors
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask, Schedule
from tests.unit.project_files import loaded

AIRFLOW = "airflow: {create: {version: 3.0.6, class: mw1.small}}"
DISCOVERY = "acme-dev/metadata_database.py"
FIELDS = ["host", "port", "database", "user", "password"]


def plan_of(folder: Path, catalogue: str, *edits: tuple[str, str], version: str = "3.0.6", **more: str) -> Plan:
    """The plan with `airflow.catalogue` so."""
    airflow = f"airflow: {{catalogue: {catalogue}, create: {{version: {version}, class: mw1.small}}}}"
    return compile_plan(loaded(folder, (AIRFLOW, airflow), *edits), **more)  # type: ignore[arg-type]


def of(plan: Plan) -> tuple[Schedule, FargateTask]:
    """The schedule that the option adds, and its task."""
    (schedule,) = [schedule for schedule in plan.schedules if schedule.job == "airflow-catalogue"]
    (task,) = schedule.tasks
    return schedule, task


def config_of(plan: Plan) -> dict[str, Any]:
    """The task's workflow."""
    (config,) = [config for config in plan.configs if config.sha256 == of(plan)[1].config]
    found: dict[str, Any] = yaml.safe_load(config.text)
    return found


def test_rest_api_is_read_by_a_fargate_task_of_its_own(tmp_path: Path) -> None:
    """The workflow names environment and region and no secret but the token; nothing else of the project changes."""
    without, plan = compile_plan(loaded(tmp_path / "a")), plan_of(tmp_path / "b", "true")
    schedule, task = of(plan)
    source = config_of(plan)["source"]
    connection = source["serviceConnection"]["config"]

    assert (schedule.dag_id, schedule.paused, schedule.cron) == ("airflow-catalogue", True, "0 0 * * *")
    assert (source["type"], source["serviceName"]) == ("airflow", "acme-dev")
    mwaa = {"mwaaEnvironmentName": "acme-dev", "awsConfig": {"awsRegion": "eu-west-1"}}
    assert connection["connection"] == {"type": "RestAPI", "authConfig": {"mwaaConfig": mwaa}}
    assert connection["hostPort"] == "${PENSTOCK_AIRFLOW_URL}"
    assert task.names == ("OM_JWT", "PENSTOCK_AIRFLOW_URL")
    assert task.runs_beside is None
    assert list(without.schedules) == [one for one in plan.schedules if one is not schedule]
    assert [one for one in plan.task_definitions if one.family != task.family] == list(without.task_definitions)
    assert set(build_bundle(without, dags_folder=DAGS).dags) == _same_files(without, plan)


def _same_files(before: Plan, plan: Plan) -> set[str]:
    """The files of a plan's bundle, under the name of the release of another's."""
    ours, theirs = build_bundle(plan, dags_folder=DAGS), build_bundle(before, dags_folder=DAGS)
    return {path.replace(ours.release, theirs.release) for path in ours.dags}


def test_only_the_task_that_reads_the_api_may_call_it(tmp_path: Path) -> None:
    """Its task definition names the environment; the project's own have a family of theirs."""
    plan = plan_of(tmp_path, "true")
    families = {definition.family: definition.rest_api_of for definition in plan.task_definitions}

    assert families.pop(of(plan)[1].family) == "acme-dev"
    assert set(families.values()) == {None}


def test_database_is_read_beside_mwaa_with_a_secret_of_its_own(tmp_path: Path) -> None:
    """Each part of the address is a field of one secret; the text of the workflow has none of them."""
    plan = plan_of(tmp_path, "{way: database}", version="2.11.0")
    _, task = of(plan)
    (definition,) = [one for one in plan.task_definitions if one.family == task.family]
    own = [secret for secret in definition.secrets if secret.name != "OM_JWT"]

    assert task.runs_beside == "airflow"
    assert sorted(str(secret.key) for secret in own) == sorted(FIELDS)
    assert {(secret.store, secret.id) for secret in own} == {("secretsmanager", "acme-dev/airflow-database")}
    assert definition.rest_api_of is None
    connection = config_of(plan)["source"]["serviceConnection"]["config"]["connection"]
    assert connection["authType"] == {"password": "${AIRFLOW_DATABASE_PASSWORD}"}
    assert connection["hostPort"] == "${AIRFLOW_DATABASE_HOST}:${AIRFLOW_DATABASE_PORT}"


def test_discovery_dag_comes_and_goes_with_the_option(tmp_path: Path) -> None:
    """The exact file is in the bundle, with the secret's name and its own DAG id, and in no other plan's."""
    schedules = "{way: database, discovery_interval: '0 2 * * 0'}"
    plan = plan_of(tmp_path / "a", schedules, version="2.11.0")
    with_it = build_bundle(plan, dags_folder=DAGS).dags
    without = build_bundle(plan_of(tmp_path / "b", "false", version="2.11.0"), dags_folder=DAGS).dags
    text = with_it[DISCOVERY].decode()

    assert DISCOVERY not in without
    assert 'SECRET = "acme-dev/airflow-database"\n' in text
    assert 'DAG_ID = "airflow-database-address"\n' in text
    assert 'CRON = "0 2 * * 0"\n' in text
    assert DISCOVERY not in build_bundle(plan_of(tmp_path / "c", "true"), dags_folder=DAGS).dags


def test_embedded_mode_asks_for_no_value_of_the_databases_secret(tmp_path: Path) -> None:
    """The deploy makes it and a DAG fills it; the project's own secrets are asked for."""
    plan = plan_of(tmp_path, "{way: database}", version="2.11.0")

    assert set(secrets.collect(plan, {}, {"PENSTOCK_SECRET_OM_JWT": "t", "PENSTOCK_SECRET_PASSWORD": "p"})) == {
        "OM_JWT",
        "PASSWORD",
    }


def test_plan_says_which_way_and_why(tmp_path: Path) -> None:
    """Chosen by itself; another version of Airflow is another plan, or none."""
    by_itself = plan_of(tmp_path / "a", "true").catalogue
    chosen = plan_of(tmp_path / "b", "{way: database, service: airflow prod}", version="2.11.0").catalogue

    assert by_itself is not None
    assert by_itself.way == "rest"
    assert by_itself.reason == "OpenMetadata 1.12.14 knows MWAA's REST API"
    assert chosen is not None
    assert (chosen.way, chosen.service, chosen.discovery_dag_id) == (
        "database", "airflow prod", "airflow-database-address",
    )  # fmt: skip
    project = "{way: database}"
    with pytest.raises(InputErrors, match="hides its metadata database"):
        plan_of(tmp_path / "c", project, version="2.11.0", airflow_version="3.0.6")


@pytest.mark.parametrize(
    ("length", "openmetadata", "said"),
    [
        (52, "1.12.14", None),
        (53, "1.12.14", "more than 52, comes into OpenMetadata without its tasks"),
        (53, "1.13.6", "more than 52, is a failed record of the run"),
    ],
)
def test_dag_id_that_the_api_has_no_room_for(tmp_path: Path, length: int, openmetadata: str, said: str | None) -> None:
    """`/dags/<id>/tasks` has 64 characters at most; what becomes of the DAG depends on OpenMetadata."""
    version = ("version: 1.12.14", f"version: {openmetadata}")
    plan = plan_of(tmp_path, "true", ("- name: daily", f"- name: {'d' * length}"), version)
    warned = [text for text in plan.warnings if "paths of 64 characters" in text]

    assert [said in text for text in warned if said] == ([] if said is None else [True])
    assert len(warned) == (0 if said is None else 1)


def test_database_has_room_for_any_dag_id(tmp_path: Path) -> None:
    """No path is written of it."""
    plan = plan_of(tmp_path, "{way: database}", ("- name: daily", f"- name: {'d' * 60}"), version="2.11.0")

    assert not any("paths of 64 characters" in text for text in plan.warnings)


@pytest.mark.parametrize(
    ("catalogue", "access", "endpoints"),
    [("true", "private", ("airflow.env",)), ("true", "public", ()), ("false", "private", ())],
)
def test_private_airflow_is_called_by_an_endpoint(
    tmp_path: Path, catalogue: str, access: str, endpoints: tuple[str, ...]
) -> None:
    """MWAA takes such a call from inside the VPC only; a network with NAT gets the one endpoint, and no other."""
    airflow = f"airflow: {{catalogue: {catalogue}, create: {{version: 3.0.6, access: {access}}}}}"
    plan = compile_plan(loaded(tmp_path, (AIRFLOW, airflow)))

    assert plan.network.endpoints == endpoints


def test_network_that_is_used_needs_the_endpoint(tmp_path: Path) -> None:
    """Penstock changes nothing in it, and says what is missing."""
    use = "network: {use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]}}"
    plan = plan_of(tmp_path, "true", ("network: {create: {cidr: 10.20.0.0/16}}", use))

    assert any("needs an endpoint for airflow.env" in text for text in plan.warnings)
