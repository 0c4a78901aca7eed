"""`penstock diff` against what the real CDK CLI deployed, and stacks that nobody can delete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.embedded import ACCOUNT, REGION, delete, until
from tests.functional.live_project import LiveProject

TAGS = ("penstock:project", "penstock:environment")

PRICES = {
    "eu-west-1": {
        "nat_gateway_hour": 0.05,
        "public_ipv4_hour": 0.005,
        "kms_key_month": 1.0,
        "mwaa.mw1.small_hour": 0.5,
        "mwaa.mw1.medium_hour": 0.75,
        "mwaa.mw1.medium.worker_hour": 0.1,
        "mwaa.mw1.medium.web_server_hour": 0.06,
        "fargate.x86_64.vcpu_hour": 0.04,
        "fargate.x86_64.gb_hour": 0.005,
    }
}


@pytest.fixture(scope="module")
def deployed(live_project: LiveProject) -> LiveProject:
    """The project with one schedule, of the newest commit, deployed."""
    live_project.start_again()
    return live_project


@pytest.fixture
def clean(deployed: LiveProject) -> LiveProject:
    """The same, with what an earlier test changed taken back; not deployed again, since these tests deploy nothing."""
    deployed.git("checkout", "--quiet", "--force", "main")
    deployed.file.write_text(deployed.first)
    deployed.commit("as deployed")
    return deployed


def test_what_is_deployed_does_not_differ(clean: LiveProject) -> None:
    """But for the commit, which two resources name."""
    output = clean.data("diff")

    assert output["schedules"] == []
    assert output["permissions"] == []
    assert output["settings"] == []
    assert output["termination_protection"] == []
    assert [(one["kind"], one["type"], one["properties"]) for one in output["resources"]] == [
        ("changed", "Custom::PenstockRelease", ["Committed", "Order", "Revision"])
    ] * 2
    assert output["cost_usd"]["before"] == output["cost_usd"]["after"]
    assert output["cost_usd"]["after"]["fixed_monthly"] is None


def test_against_nothing_all_is_new(clean: LiveProject) -> None:
    """An environment that is not deployed yet."""
    output = clean.data("--environment", "prod", "diff")

    assert [(one["kind"], one["dag_id"]) for one in output["schedules"]] == [("added", "hello")]
    assert {one["kind"] for one in output["resources"]} == {"added"}
    assert output["dangers"] == []


def test_changes_in_a_persons_words(clean: LiveProject, tmp_path: Path) -> None:
    """Schedules, sizes, MWAA, permissions and cost, each from the real templates."""
    (tmp_path / "prices.json").write_text(json.dumps(PRICES))
    task = {"name": "greet", "command": ["echo", "hello"], "image": "example.com/tools:1", "secrets": ["TOKEN"]}
    clean.edit(
        jobs={"hello": {"tasks": [{**task, "cpu_units": 1024, "memory_mib": 2048, "timeout_minutes": 30}]}},
        schedules=[clean.hello, {"name": "more", "job": "hello", "interval": "0 * * * *"}],
        airflow={"create": {"version": "3.0.6", "class": "mw1.medium", "workers": {"min": 3, "max": 5},
                             "access": "public", "web_servers": {"min": 4, "max": 5}}},
        ecs={"stop_timeout_seconds": 60},
        protected=True,
    )  # fmt: skip
    said = clean.penstock("diff", "--prices", str(tmp_path / "prices.json")).stdout

    for line in (
        "+ schedule more (0 * * * * UTC; greet)",
        "~ schedule hello",
        "tasks.greet.memory_mib: 1024 → 2048",
        "~ airflow.access: private → public",
        "~ ecs.stop_timeout_seconds: 120 → 60",
        "~ protected: false → true",
        "~ MWAA Environment acme-dev: EnvironmentClass, MaxWebservers, MaxWorkers, MinWebservers, MinWorkers, Web",
        "    WebserverAccessMode: PRIVATE_ONLY → PUBLIC_ONLY",
        "~ termination protection off → on: acme-dev-airflow, acme-dev-ingestion, acme-dev-network, acme-dev-obs",
        "+ ECS TaskDefinition acme-dev-command-",
        "secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/token-??????",
        "NAT gateways (2): 73.00",
        "MWAA environment, mw1.medium (0 → 1): 0.00 → 547.50",
        "more workers and schedulers, mw1.medium (0 → 2): 0.00 → 146.00",
        "more web servers, mw1.medium (0 → 2): 0.00 → 87.60",
        "all that runs all the time: 446.30 → 862.40",
        # An hour of one vCPU and 2 GB is 0.05; half of that a run.
        "more: at most 0.0250 a run, 730.0 runs a month",
    ):  # fmt: skip
        assert line in said, said


def test_what_would_delete_mwaa_is_refused_unless_told_twice(clean: LiveProject) -> None:
    """An Airflow of somebody else's instead: MWAA's goes, with its database."""
    clean.edit(airflow={"self_managed": {"version": "3.0.6"}})
    flags = ["--allow-replacement", "acme-dev"]

    for told in ([], flags):
        refused = clean.penstock("diff", *told, code=1)
        assert "error: this deploy would lose data" in refused.stderr
        assert "MWAA Environment acme-dev would be deleted, and with it Airflow's database" in refused.stderr
        assert "fix: take the change back; or, if it is meant: --allow-replacement acme-dev --yes" in refused.stderr
    assert "- MWAA Environment acme-dev" in clean.penstock("diff", *flags, "--yes").stdout
    assert [one["name"] for one in clean.data("diff", code=1)["dangers"]] == ["acme-dev"]


def test_what_would_replace_mwaa_under_its_name_is_refused_however_often_told(clean: LiveProject) -> None:
    """MWAA's key is fixed at creation, and the new environment would come before the old one goes."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-0000-0000-0000-000000000000"
    clean.edit(airflow={"create": {"version": "3.0.6", "kms_key": key}})

    for told in ([], ["--allow-replacement", "acme-dev", "--yes"]):
        refused = clean.penstock("diff", *told, code=1)
        assert "error: this deploy would be refused: MWAA Environment acme-dev would be replaced" in refused.stderr
        assert "because KmsKey cannot change, and the new one finds Name acme-dev taken" in refused.stderr
        assert "fix: take the change back, or make it in a new environment of the project" in refused.stderr
    assert "! MWAA Environment acme-dev is replaced" in refused.stdout


def test_what_cloudformation_would_refuse_is_refused_however_often_told(clean: LiveProject) -> None:
    """Another address range replaces subnets that the Airflow stack imports: that needs an environment of its own."""
    clean.edit(network={"create": {"cidr": "10.40.0.0/16"}})
    refused = clean.penstock("diff", "--allow-replacement", "acme-dev", "--yes", code=1)

    assert "! MWAA Environment acme-dev is replaced, because of NetworkConfiguration.SubnetIds" in refused.stdout
    assert "error: this deploy would be refused: acme-dev-network would change its export" in refused.stderr
    assert "while acme-dev-airflow imports it" in refused.stderr
    assert "fix: take the change back, or make it in a new environment of the project" in refused.stderr


def test_an_older_checkout_is_told_before_it_deploys(clean: LiveProject) -> None:
    """`cdk deploy` would be refused; so says the comparison, with exit code 1."""
    old = clean.git("rev-parse", "HEAD")
    clean.add_schedule("pushed")
    clean.penstock("push")
    clean.git("checkout", "--quiet", old)
    refused = clean.penstock("diff", code=1)

    assert "- schedule pushed" in refused.stdout
    assert "this deploy would be refused: release" in refused.stderr


def test_stacks_are_known_by_their_tags(clean: LiveProject) -> None:
    """One of project `acme-dev` whose name begins alike is not ours; one of ours that the project has no more is."""
    cfn = clean.endpoint.client("cloudformation")
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    for name, owner in (("acme-dev-x-airflow", ("acme-dev", "x")), ("acme-dev-tasks-gone", ("acme", "dev"))):
        tags = [{"Key": key, "Value": value} for key, value in zip(TAGS, owner, strict=True)]
        cfn.create_stack(StackName=name, TemplateBody=body, Tags=tags)
        cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    try:
        output = clean.data("diff")
    finally:
        assert {delete(clean.endpoint, f"acme-dev-{name}") for name in ("x-airflow", "tasks-gone")}
    assert output["left_over_stacks"] == ["acme-dev-tasks-gone"]
    owned = [one for one in cfn.describe_stacks()["Stacks"] if one["StackName"].startswith("acme-dev-")]
    assert len(owned) == 4
    for one in owned:
        assert {tag["Key"]: tag["Value"] for tag in one["Tags"]} == dict(zip(TAGS, ("acme", "dev"), strict=True))


def test_what_is_left_of_a_failed_first_deploy_is_not_deployed(clean: LiveProject) -> None:
    """CloudFormation lists it, without an output; nothing can be pushed there, and all is new."""
    cfn = clean.endpoint.client("cloudformation")
    bad = {"Type": "AWS::MWAA::Environment", "Properties": {"Name": "1 is not a name"}}
    body = json.dumps({"Resources": {"Bad": bad}})
    tags = [{"Key": key, "Value": value} for key, value in zip(TAGS, ("acme", "prod"), strict=True)]
    cfn.create_stack(StackName="acme-prod-airflow", TemplateBody=body, Tags=tags)
    until(lambda: status(cfn, "acme-prod-airflow") == "ROLLBACK_COMPLETE")
    try:
        refusal = "the first deploy of stack acme-prod-airflow failed (ROLLBACK_COMPLETE); cdk deploy deletes it"
        refused = clean.penstock("--environment", "prod", "push", code=1)
        compared = clean.penstock("--environment", "prod", "diff", "--format", "json")
    finally:
        delete(clean.endpoint, "acme-prod-airflow")

    assert f"acme-prod is not deployed in eu-west-1: {refusal}" in refused.stderr
    assert "fix: deploy it first: npx cdk deploy --all -c environment=prod" in refused.stderr
    assert refusal in compared.stderr
    assert {one["kind"] for one in json.loads(compared.stdout)["resources"]} == {"added"}


def status(cfn: Any, name: str) -> str:
    return str(cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--yes"], "--yes alone allows nothing"),
        (["--allow-replacement", "nothing", "--yes"], "'nothing' is not about to be replaced"),
        (["--prices", "nowhere.json"], "the prices cannot be read"),
        (["--to", "dags"], "is not a folder in a bucket"),
    ],
)
def test_bad_input(clean: LiveProject, arguments: list[str], what: str) -> None:
    """Exit code 2, what is wrong, and the fix."""
    refused = clean.penstock("diff", *arguments, code=2)

    assert what in refused.stderr
    assert "fix: " in refused.stderr


def test_a_protected_environment_cannot_be_destroyed_until_somebody_says_so(live_project: LiveProject) -> None:
    """`protected: true` is termination protection on every stack; both environments live in one account."""
    live_project.start_again(deploy=False)
    live_project.deploy(environment="prod")
    context = ["-c", f"project={live_project.file}", "-c", "environment=prod", "--output",
               str(live_project.folder.parent / "cdk.out")]  # fmt: skip
    said = live_project.cdk("destroy", "--all", "--force", *context, fails=True)
    assert "TerminationProtection" in said
    cfn = live_project.endpoint.client("cloudformation")
    names = {one["StackName"] for one in cfn.describe_stacks()["Stacks"] if one["EnableTerminationProtection"]}
    assert names == {f"acme-prod-{stack}" for stack in ("network", "ingestion", "airflow", "observability")}

    live_project.edit(environments={name: {"region": "eu-west-1"} for name in ("dev", "prod")})
    output = live_project.data("--environment", "prod", "diff")["termination_protection"]
    assert {one["stack"] for one in output if one["before"] and not one["after"]} == names
    live_project.deploy(environment="prod")
    live_project.cdk("destroy", "--all", "--force", *context)
    left = {one["StackName"] for one in cfn.describe_stacks()["Stacks"] if "DELETE" not in one["StackStatus"]}
    assert not any(name.startswith("acme-prod-") for name in left)
    assert "acme-dev-airflow" in left
