"""`airflow.catalogue` in the stacks: who may read what, the secret, the endpoint, and where the task finds Airflow."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penstock_runtime.contract import AIRFLOW_URL_VARIABLE
from penstock_runtime.plan.airflow import AirflowCatalogue, UsedAirflow
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Secret
from stacks.build import build_stacks
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates

SECRET = "acme-dev/airflow-database"
ARN = f"arn:aws:secretsmanager:{plans.REGION}:{plans.ACCOUNT}:secret:{SECRET}-??????"
READ, WRITE = "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"
ROLE = f"arn:aws:airflow:{plans.REGION}:{plans.ACCOUNT}:role/acme-dev/Viewer"
OWN = dataclasses.replace(
    plans.OPENMETADATA, family="acme-dev-openmetadata-0c0c0c0c", role_prefix="acme-dev-0c0c0c0c", secrets=()
)
PASSWORD = Secret("AIRFLOW_DATABASE_PASSWORD", "secretsmanager", SECRET, "password")


def planned(way: str) -> Plan:
    """The plan with a catalogue, and a task definition and a schedule for it."""
    by_rest = way == "rest"
    catalogue = AirflowCatalogue(
        way="rest" if by_rest else "database",
        reason="",
        environment="acme-dev",
        service="acme-dev",
        dag_id="airflow-catalogue",
        secret=None if by_rest else SECRET,
        discovery_dag_id=None if by_rest else "airflow-database-address",
    )
    definition = dataclasses.replace(
        OWN, rest_api_of="acme-dev" if by_rest else None, secrets=() if by_rest else (PASSWORD,)
    )
    task = dataclasses.replace(
        plans.TASK, family=definition.family, names=(AIRFLOW_URL_VARIABLE,), runs_beside=None if by_rest else "airflow"
    )
    schedule = dataclasses.replace(plans.SCHEDULE, name="airflow-catalogue", dag_id="airflow-catalogue", tasks=(task,))
    return dataclasses.replace(
        plans.PLAN,
        catalogue=catalogue,
        task_definitions=(*plans.PLAN.task_definitions, definition),
        schedules=(*plans.PLAN.schedules, schedule),
    )


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Templates, Path]:
    folder = tmp_path_factory.mktemp("rest")
    return plans.synthesize(planned("rest"), folder), folder


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> tuple[Templates, Path]:
    folder = tmp_path_factory.mktemp("database")
    return plans.synthesize(planned("database"), folder), folder


def test_one_task_role_reads_one_environment_as_viewer(rest: tuple[Templates, Path]) -> None:
    """No other statement of any role allows it, and this one names environment and role."""
    (found,) = statements.that_allow(statements.everywhere(rest[0]), "airflow:InvokeRestApi")

    assert (found["Action"], found["Resource"]) == (["airflow:InvokeRestApi"], [ROLE])
    role = statements.of_role_at(rest[0]["acme-dev-airflow"], "acmedevopenmetadata0c0c0c0cTaskRole")
    assert found in role


def test_no_secret_by_the_rest_api(rest: tuple[Templates, Path]) -> None:
    """There is nothing that it could hold."""
    assert plans.resources(rest[0], "AWS::SecretsManager::Secret") == []


def test_airflow_writes_one_secret_that_one_task_is_handed(database: tuple[Templates, Path]) -> None:
    """The execution role reads and writes it, and the execution role of the one task definition reads it."""
    templates = database[0]
    (secret,) = plans.resources(templates, "AWS::SecretsManager::Secret")
    airflow = statements.of_role(templates["acme-dev-airflow"], "ExecutionRole")

    assert secret["Properties"]["Name"] == SECRET
    assert not {"SecretString", "GenerateSecretString"} & secret["Properties"].keys()
    (write,) = statements.that_allow(airflow, WRITE)
    assert (sorted(write["Action"]), write["Resource"]) == ([READ, WRITE], [ARN])
    readers = [one for one in statements.everywhere(templates) if READ in one["Action"] and ARN in one["Resource"]]
    assert len(readers) == 2


def test_role_of_an_environment_that_exists_gets_it_by_policy(tmp_path: Path) -> None:
    """Beside what its DAGs need anyway."""
    used = UsedAirflow("acme-dev", "2.11.0", "team-dags", "dags", "team-airflow", None)
    templates = plans.synthesize(dataclasses.replace(planned("database"), airflow=used), tmp_path)
    policies = plans.resources(templates, "AWS::IAM::ManagedPolicy")
    allowed = [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]

    assert [one for one in allowed if WRITE in one["Action"]]


def test_task_finds_airflow_where_the_deploy_put_it(
    rest: tuple[Templates, Path], database: tuple[Templates, Path], templates: Templates, tmp_path: Path
) -> None:
    """The page's address by the REST API; MWAA's subnets and group beside it for the database; else neither."""
    by_rest, by_database = (plans.deployed_resources(*one) for one in (rest, database))

    assert by_rest.airflow_url.startswith("https://")
    assert (by_rest.airflow_subnets, by_rest.airflow_security_groups) == ((), ())
    assert by_database.airflow_subnets == by_database.subnets != ()
    assert by_database.airflow_security_groups != by_database.security_groups
    plans.synthesize(plans.PLAN, tmp_path)
    plain = plans.deployed_file(templates, tmp_path, "resources.json")
    assert "airflow_" not in plain


def test_network_with_nat_gets_the_one_endpoint(tmp_path: Path) -> None:
    """In the private subnets, for tasks and MWAA; S3's policy stays, as there is a way around it."""
    plan = dataclasses.replace(plans.PLAN, network=dataclasses.replace(plans.PLAN.network, endpoints=("airflow.env",)))
    found = plans.resources(plans.synthesize(plan, tmp_path), "AWS::EC2::VPCEndpoint")
    by_type = {one["Properties"]["VpcEndpointType"]: one["Properties"] for one in found}

    assert statements.text(by_type["Interface"]["ServiceName"]).endswith(".airflow.env")
    assert len(by_type["Interface"]["SubnetIds"]) == 2
    assert by_type["Interface"]["PrivateDnsEnabled"] is True
    assert "PolicyDocument" not in by_type["Gateway"]
    assert len(found) == 2


@pytest.mark.parametrize("way", ["rest", "database"])
def test_no_finding_is_left(tmp_path: Path, way: str) -> None:
    """As for the plans of `test_nag`."""
    app = plans.application(tmp_path / "cdk.out")
    build_stacks(app, planned(way), plans.files(tmp_path), account=None)
    plans.judge(app)
    app.synth()
