"""The network of a plan, and where its tasks run."""

from __future__ import annotations

from pathlib import Path

from penstock.compile.compiler import compile_plan
from penstock_runtime.airflow.operators import run_task
from tests.unit.project_files import loaded
from tests.unit.runtime.container.sealed_network import (
    CREATE,
    LOAD,
    RESOURCES,
    USE,
    plan_of,
    refused,
    task_of,
)


def test_nat_needs_no_endpoint(tmp_path: Path) -> None:
    """Two gateways unless one is asked for; the flow log is kept for 30 days unless it is not wanted."""
    plain = plan_of(tmp_path / "a").network
    cheap = plan_of(
        tmp_path / "b", (CREATE, "network: {create: {nat_gateways: 1, flow_logs: {enabled: false}}}")
    ).network

    assert (plain.egress, plain.nat_gateways, plain.endpoints, plain.flow_log_days) == ("nat", 2, (), 30)
    assert (cheap.nat_gateways, cheap.flow_log_days) == (1, None)


def test_zones_are_the_projects_or_the_first_two(tmp_path: Path) -> None:
    """By their names; the first two are CloudFormation's to find."""
    zones = (CREATE, "network: {create: {zones: [eu-west-1c, eu-west-1a]}}")
    named = plan_of(tmp_path / "a", zones, ("eu-central-1", "eu-west-1")).network

    assert named.zones == ("eu-west-1c", "eu-west-1a")
    assert plan_of(tmp_path / "b").network.zones == ()


def test_china_was_never_tried(tmp_path: Path) -> None:
    """And that is said, with the region's place."""
    warnings = plan_of(tmp_path, ("{region: eu-west-1}", "{region: cn-north-1}")).warnings
    (warning,) = [one for one in warnings if "China" in one]

    assert warning.startswith("penstock.yaml:3:17: Penstock was never tried in AWS's regions in China")


def test_public_range_is_a_warning(tmp_path: Path) -> None:
    """AWS takes it; hosts of the internet with these addresses become unreachable."""
    (warning,) = plan_of(tmp_path, (CREATE, CREATE.replace("10.20.0.0", "52.20.0.0"))).warnings

    assert warning.startswith("penstock.yaml:5:26: 52.20.0.0/16 is not a private range")


def test_security_groups_for_both_or_for_each(tmp_path: Path) -> None:
    """None that are named are left to the deploy."""
    groups = {
        "": ((), ()),
        ", security_groups: [sg-0a1b2c3d]": (("sg-0a1b2c3d",), ("sg-0a1b2c3d",)),
        ", task_security_groups: [sg-0a1b2c3d]": (("sg-0a1b2c3d",), ()),
        ", airflow_security_groups: [sg-1a1b2c3d]": ((), ("sg-1a1b2c3d",)),
    }
    for number, (setting, expected) in enumerate(groups.items()):
        network = plan_of(tmp_path / str(number), (CREATE, USE % setting)).network
        assert (network.task_security_groups, network.airflow_security_groups) == expected


def test_owner_of_a_shared_vpc(tmp_path: Path) -> None:
    """Their role and their security groups are in the plan, for the endpoints that MWAA waits for."""
    role = "arn:aws:iam::444455556666:role/penstock-endpoints"
    shared = f", shared_by: {{role: '{role}', security_groups: [sg-2a1b2c3d]}}"
    customer = ("class: mw1.small", "class: mw1.small, endpoint_management: customer")
    network = plan_of(tmp_path, customer, (CREATE, USE % shared)).network

    assert (network.shared, network.endpoint_role) == (True, role)
    assert network.endpoint_security_groups == ("sg-2a1b2c3d",)


def test_owner_of_a_shared_vpc_who_makes_the_endpoints_by_hand(tmp_path: Path) -> None:
    """No role, no groups: told at each synth, with the time that there is. Also where the account is known."""
    customer = ("class: mw1.small", "class: mw1.small, endpoint_management: customer")
    account = ("dev: {region", 'dev: {account: "111122223333", region')
    plan = plan_of(tmp_path, customer, account, (CREATE, USE % ", shared_by: {}"))

    assert (plan.network.shared, plan.network.endpoint_role, plan.network.endpoint_security_groups) == (True, None, ())
    (warning,) = plan.warnings
    assert "the owner of the VPC makes the endpoints by hand" in warning
    assert "72 hours" in warning


def test_role_that_the_owner_trusts_has_a_name_that_fits(tmp_path: Path) -> None:
    """IAM takes 64 characters, and the name is fixed: the owner's trust names it."""
    shared = ", shared_by: {role: 'arn:aws:iam::444455556666:role/p', security_groups: [sg-2a1b2c3d]}"
    customer = ("class: mw1.small", "class: mw1.small, endpoint_management: customer")
    long = ("name: acme\n", f"name: {'a' * 20}\niam: {{role_name_prefix: {'p' * 16}}}\n")
    ((where, what, fix),) = refused(tmp_path, customer, (CREATE, USE % shared), long)

    assert where.startswith("penstock.yaml:6:")
    assert f"{'p' * 16}{'a' * 20}-dev-eu-west-1-mwaa-endpoints would have a name of 65 characters; IAM takes 64" in what
    assert "iam.role_name_prefix" in fix


def test_task_runs_where_its_group_is(tmp_path: Path) -> None:
    """The one that names it in the group's subnets with a public address; the others where the deploy's tasks do."""
    plan = plan_of(tmp_path, (CREATE, USE % ""), (LOAD, LOAD + "subnets: out, "))

    assert (task_of(plan, "load").subnets, task_of(plan, "load").assign_public_ip) == (("subnet-2a1b2c3d",), True)
    assert (task_of(plan, "catalogue").subnets, task_of(plan, "catalogue").assign_public_ip) == ((), False)
    load, catalogue = (run_task.network(task_of(plan, name), RESOURCES) for name in ("load", "catalogue"))
    assert load["awsvpcConfiguration"] == {
        "subnets": ["subnet-2a1b2c3d"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "ENABLED",
    }
    assert catalogue["awsvpcConfiguration"] == {
        "subnets": ["subnet-9"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "DISABLED",
    }


def test_group_of_subnets_is_for_networks_that_exist(tmp_path: Path) -> None:
    """One project, two environments: where the network is created, the task runs in its private subnets."""
    project = loaded(
        tmp_path,
        (LOAD, LOAD + "subnets: out, "),
        ("eu-central-1, variables", f"eu-central-1, {USE % ''}, variables"),
    )

    assert task_of(compile_plan(project, "dev"), "load").subnets == ()
    assert task_of(compile_plan(project, "prod"), "load").subnets == ("subnet-2a1b2c3d",)
