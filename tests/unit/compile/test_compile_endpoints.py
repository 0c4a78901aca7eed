"""The endpoints of a network without internet: those that it needs, and what fails without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.runtime.container.sealed_network import (
    ALWAYS,
    CREATE,
    ECR,
    LOAD,
    NO_CATALOGUE,
    SEALED,
    plan_of,
    warnings_of,
)


def test_endpoints_are_those_of_mwaa_and_of_the_tasks(tmp_path: Path) -> None:
    """Secrets Manager's only for a project with a secret there; no NAT gateway."""
    network = plan_of(tmp_path / "a", SEALED, NO_CATALOGUE).network
    plain = f'{LOAD}command: ls, image: "{ECR}/refresh:7"}}'
    without = plan_of(tmp_path / "b", SEALED, NO_CATALOGUE, ("- {name: load, meltano: tap-a target-b}", plain)).network

    assert {*network.endpoints} == {*ALWAYS, "secretsmanager"}
    assert network.nat_gateways == 0
    assert list(network.endpoints) == sorted(network.endpoints)
    assert {*without.endpoints} == ALWAYS


@pytest.mark.parametrize(
    ("edit", "more"),
    [
        (("PASSWORD: secretsmanager:warehouse#password", "PASSWORD: ssm:/warehouse"), {"ssm"}),
        (("egress: endpoints", "egress: endpoints, more_endpoints: [glue]"), {"secretsmanager", "glue"}),
        (("dev: {region: eu-west-1}", "dev: {region: ca-west-1}"), {"secretsmanager", "ecs-agent", "ecs-telemetry"}),
        (
            (
                "class: mw1.small",
                "class: mw1.small, options: {secrets.backend: "
                "airflow.providers.amazon.aws.secrets.systems_manager.SystemsManagerParameterStoreBackend}",
            ),
            {"secretsmanager", "ssm"},
        ),
    ],
)
def test_endpoints_follow_what_the_plan_uses(tmp_path: Path, edit: tuple[str, str], more: set[str]) -> None:
    """Its stores of secrets, Airflow's backend, what the user adds, and what ECS needs in later regions."""
    old, new = edit
    sealed = (SEALED[0], SEALED[1].replace(old, new))
    edits = [sealed, NO_CATALOGUE] + ([] if old in SEALED[1] else [edit])

    assert {*plan_of(tmp_path, *edits).network.endpoints} == ALWAYS | more


def test_endpoint_that_is_left_out(tmp_path: Path) -> None:
    """As for a region that does not offer it."""
    sealed = (CREATE, "network: {create: {egress: endpoints, without_endpoints: [airflow.ops, kms]}}")

    assert ALWAYS - {*plan_of(tmp_path, sealed, NO_CATALOGUE).network.endpoints} == {"airflow.ops", "kms"}


MWAA_FAILS = "MWAA cannot create the environment, which shows after hours only: take it out of without_endpoints, or "
EXISTING_AIRFLOW = (
    "create: {version: 3.0.6, class: mw1.small}",
    "use: {environment: team, version: 3.0.6, bucket: team-dags, execution_role: team}",
)


@pytest.mark.parametrize(
    ("left_out", "edits", "told"),
    [
        ("¦sqs, monitoring, airflow.env", (), [f"without a way to sqs and monitoring {MWAA_FAILS}"]),
        ("sts, ¦kms", (), [f"without a way to kms {MWAA_FAILS}"]),
        ("airflow.api, airflow.env, airflow.ops, sts", (), []),
        ("sqs, kms, monitoring, ecs", (EXISTING_AIRFLOW,), []),
        ("¦ecr.api, ecr.dkr", (), ["without a way to ecr.api and ecr.dkr Fargate starts no task: take it"]),
        ("¦ecr.api, logs", (EXISTING_AIRFLOW,), ["without a way to ecr.api and logs Fargate starts no task"]),
        ("¦ecs", (), ["without a way to ecs Airflow starts no Fargate task"]),
        ("¦secretsmanager", (), ["without a way to secretsmanager nothing reads the secrets that are kept there"]),
        ("ssm, ecs-agent", (), []),
        ("¦ecs-agent", (("{region: eu-west-1}", "{region: ca-west-1}"),), ["to ecs-agent Fargate starts no task"]),
    ],
)
def test_endpoint_that_is_missed_is_a_warning(
    tmp_path: Path, left_out: str, edits: tuple[tuple[str, str], ...], told: list[str]
) -> None:
    """At the first one that does harm. Another route may lead there, so it is not an error; what nobody here calls
    may be left out silently."""
    line = f"network: {{create: {{egress: endpoints, without_endpoints: [{left_out}]}}}}"
    plan = plan_of(tmp_path, (CREATE, line.replace("¦", "")), NO_CATALOGUE, *edits)
    warnings = [warning for warning in plan.warnings if "without a way to" in warning]

    assert len(warnings) == len(told)
    for warning, part in zip(warnings, told, strict=True):
        assert warning.startswith(f"penstock.yaml:5:{line.index('¦') + 1}: ")
        assert part in warning


def test_secret_of_another_region_is_a_warning(tmp_path: Path) -> None:
    """ECS reads it where its ARN says, and an endpoint is of one region."""
    far = ("secretsmanager:warehouse", "arn:aws:secretsmanager:us-east-1:111122223333:secret:warehouse-AbCdEf")
    found, open_ = (
        [warning for warning in plan_of(tmp_path / name, far, *edits).warnings if "is in another region" in warning]
        for name, edits in (("sealed", (SEALED, NO_CATALOGUE)), ("open", ()))
    )

    (warning,) = found
    assert "secret PASSWORD is in another region, and endpoints lead to eu-west-1 only" in warning
    assert warning.startswith("penstock.yaml:")
    assert not open_


@pytest.mark.parametrize(
    ("access", "version", "told"),
    [("public", "3.0.6", True), ("public", "2.11.0", False), ("private", "3.0.6", False)],
)
def test_web_server_out_of_the_workers_reach_is_a_warning(
    tmp_path: Path, access: str, version: str, told: bool
) -> None:
    """Airflow 3's workers call it; without internet they reach private addresses only."""
    airflow = ("{version: 3.0.6, class: mw1.small}", f"{{version: {version}, class: mw1.small, access: {access}}}")
    plan = plan_of(tmp_path, SEALED, NO_CATALOGUE, airflow)

    assert any("no address inside the network" in warning for warning in plan.warnings) == told


def test_endpoints_that_other_partitions_lack(tmp_path: Path) -> None:
    """Their network stack would fail, and it is the first."""
    plan = plan_of(tmp_path, SEALED, NO_CATALOGUE, ("{region: eu-west-1}", "{region: us-gov-west-1}"))

    assert ALWAYS - {*plan.network.endpoints} == {"airflow.ops"}


def test_each_harm_of_what_is_left_out_is_told(tmp_path: Path) -> None:
    """With none of its endpoints, an environment waits for hours and no task starts."""
    line = f"network: {{create: {{egress: endpoints, without_endpoints: [{', '.join(sorted(ALWAYS))}]}}}}"
    plan = plan_of(tmp_path, (CREATE, line), NO_CATALOGUE)

    assert plan.network.endpoints == ("secretsmanager",)
    assert [one.partition("without a way to ")[2].partition(":")[0] for one in warnings_of(plan)] == [
        "kms, logs, monitoring and sqs MWAA cannot create the environment, which shows after hours only",
        "ecr.api, ecr.dkr and logs Fargate starts no task",
        "ecs Airflow starts no Fargate task",
    ]


@pytest.mark.parametrize(
    ("action", "more", "told"),
    [
        ("glue:GetTables", "", "tasks may call glue, and no VPC endpoint leads there: add glue to network.create.more"),
        ("glue:GetTables", ", more_endpoints: [glue]", None),
        ("kinesis:GetRecords", ", more_endpoints: [glue]", "add kinesis-streams to network.create.more_endpoints"),
        ("s3:GetObject", "", None),
        ("sqs:SendMessage", "", None),
        ("textract:DetectText", "", "add textract to network.create.more_endpoints, if AWS has one of that name"),
    ],
)
def test_permission_without_an_endpoint_is_a_warning(tmp_path: Path, action: str, more: str, told: str | None) -> None:
    """The call would hang until it times out. With its place; a NAT gateway leads everywhere."""
    allowed = f"permissions: [{{actions: ['{action}'], resources: ['*'], reason: x}}]"
    edits = ((LOAD, f"{LOAD}{allowed}, "), NO_CATALOGUE)
    warnings = warnings_of(plan_of(tmp_path, (CREATE, f"network: {{create: {{egress: endpoints{more}}}}}"), *edits))

    assert len(warnings) == (told is not None)
    assert told is None or (told in warnings[0] and warnings[0].startswith("penstock.yaml:21:46: "))
    assert warnings_of(plan_of(tmp_path / "nat", *edits)) == []


def test_permission_for_a_service_whose_endpoint_is_left_out(tmp_path: Path) -> None:
    """It is made by itself where nobody leaves it out; asking for it besides would be an error."""
    role = "permissions: [{actions: ['sts:AssumeRole'], resources: ['arn:aws:iam::111122223333:role/lake']}]"
    sealed = (CREATE, "network: {create: {egress: endpoints, without_endpoints: [sts]}}")
    (warning,) = warnings_of(plan_of(tmp_path, sealed, (LOAD, f"{LOAD}{role}, "), NO_CATALOGUE))

    assert warning.endswith("no VPC endpoint leads there: take sts out of network.create.without_endpoints")
