"""Names as patterns, statements as policies, and the command around them; nothing is synthesized here."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.cli import deploy_policy, main
from penstock.compile.compiler import compile_plan
from penstock.deploy_policy.bootstrap import Bootstrap
from penstock.deploy_policy.documents import pack
from penstock.deploy_policy.names import patterns
from penstock.deploy_policy.scope import Deployment
from penstock.deploy_policy.statements import Statement, statements
from penstock.deployed.account import Account
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.iam_limits import MAX_POLICY_CHARACTERS
from penstock_runtime.plan.plan import Iam, Plan
from tests.unit.project_files import loaded, write

ACCOUNT = "111122223333"
NAMED = {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "acme-dev"}}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Principal": {"Service": "lambda.amazonaws.com"}}]}},
}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return compile_plan(loaded(tmp_path))


def template(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": {f"R{number}": resource for number, resource in enumerate(resources)}}


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::IAM::Role", {"RoleName": "acme-dev-1a2b3c4d-task"}, ["/acme-dev-????????-task"]),
        ("AWS::IAM::Role", {"RoleName": "dp-acme-dev-1a2b3c4d", "Path": "/data/"}, ["/data/dp-acme-dev-????????"]),
        ("AWS::IAM::Role", {}, ["/acme-dev-ingestion-*"]),
        ("AWS::ECS::TaskDefinition", {"Family": "acme-dev-command-0a1b2c"}, ["acme-dev-command-??????"]),
        ("AWS::CloudWatch::Alarm", {"AlarmName": "acme-dev-queue"}, ["acme-dev-queue"]),
        ("AWS::Lambda::LayerVersion", {}, ["acme-dev-ingestion-*", "UploadAwsCliLayer*"]),
    ],
)
def test_a_name_becomes_a_pattern(kind: str, properties: dict[str, Any], expected: list[str]) -> None:
    """What changes from deploy to deploy is left open, and nothing else."""
    resource = {"Type": kind, "Properties": properties}

    assert patterns("acme-dev-ingestion", "UploadAwsCliLayer1A2B3C4D", resource, "acme-dev") == expected


def test_a_project_whose_name_looks_like_a_digest_keeps_it() -> None:
    resource = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Family": "decade-facade-command-0a1b2c"}}

    assert patterns("x", "Task", resource, "decade-facade") == ["decade-facade-command-??????"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("AWS::Lambda::Function", "data-platform-Production*"),
        ("AWS::S3::Bucket", "data-platform-production*"),
        ("AWS::Logs::LogGroup", "data-platform-Production-observability-*"),
    ],
)
def test_a_long_stack_s_name_is_matched_as_far_as_cloudformation_keeps_it(kind: str, expected: str) -> None:
    """At most 24 characters of it for a service that takes 64."""
    assert patterns("data-platform-Production-observability", "Function", {"Type": kind}, "x") == [expected]


def test_a_name_that_only_the_deploy_knows_is_refused() -> None:
    resource = {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": {"Ref": "Name"}}}
    with pytest.raises(PenstockError, match="the name of Cluster in stack s is known only after a deploy"):
        patterns("s", "Cluster", resource, "s")


def test_a_type_that_is_not_known_is_refused(plan: Plan) -> None:
    """No policy is better than one that lets a deploy fail half-way."""
    with pytest.raises(PenstockError, match="not known what CloudFormation needs to make AWS::RDS::DBInstance"):
        statements([Deployment(plan, {"s": template({"Type": "AWS::RDS::DBInstance"})})], ACCOUNT)


def test_environments_of_one_bootstrap_share_their_statements(plan: Plan) -> None:
    """Each has its own boundary."""
    vpc = {"Type": "AWS::EC2::VPC"}
    dev = Deployment(plan, {"acme-dev-network": template(vpc, ROLE)})
    test = Deployment(replace(plan, environment="test", prefix="acme-test"), {"acme-test-network": template(vpc, ROLE)})
    strict = replace(test.plan, environment="qa", prefix="acme-qa", iam=Iam(permissions_boundary="arn:b"))
    qa = Deployment(strict, {"acme-qa-network": template(ROLE)})
    policy = statements([dev, test, qa], ACCOUNT)

    (delete,) = [one for one in policy if "ec2:DeleteVpc" in one.actions]
    assert delete.condition["StringEquals"]["aws:ResourceTag/penstock:environment"] == ["dev", "test"]
    roles = f"arn:aws:iam::{ACCOUNT}:role/acme-"
    assert [(one.resources, one.condition) for one in policy if "iam:CreateRole" in one.actions] == [
        ((f"{roles}dev-network-*", f"{roles}test-network-*"), {}),
        ((f"{roles}qa-network-*",), {"StringEquals": {"iam:PermissionsBoundary": "arn:b"}}),
    ]
    (pass_role,) = [one for one in policy if one.actions == ("iam:PassRole",)]
    assert len(pass_role.resources) == 3


def test_what_is_too_long_for_one_policy_goes_into_several() -> None:
    """As many characters as IAM takes, and no statement is lost."""
    granted = [
        Statement((f"s3:A{number}",), tuple(f"arn:{number}:{one:099}" for one in range(90)), {}) for number in (1, 2)
    ]
    policies = pack(granted, "p")

    assert [policy.name for policy in policies] == ["p-1", "p-2", "p-3", "p-4"]
    assert all(policy.size <= MAX_POLICY_CHARACTERS for policy in policies)
    packed = [
        (statement.actions, resource)
        for policy in policies
        for statement in policy.statements
        for resource in statement.resources
    ]
    assert packed == [(one.actions, resource) for one in granted for resource in one.resources]


def test_more_than_a_role_can_have_is_refused() -> None:
    policy = [Statement((f"s3:A{number}",), (f"arn:{number:06000}",), {}) for number in range(11)]
    with pytest.raises(PenstockError, match="need 11 managed policies, and IAM attaches 10") as caught:
        pack(policy, "p")
    assert "iam.bootstrap_qualifier" in caught.value.fix


# The command


class Synth:
    """A stack with a cluster for each environment, and which environments were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, _project: Path, environment: str, _region: str) -> dict[str, Any]:
        self.asked.append(environment)
        return {f"acme-{environment}-ingestion": template(NAMED)}


@pytest.fixture
def synth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Synth:
    found = Synth()
    monkeypatch.setattr(deploy_policy, "synth", found)
    monkeypatch.setattr(Account, "number", ACCOUNT)
    monkeypatch.chdir(tmp_path)
    return found


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """What `penstock …` says on stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["penstock", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.app()
    assert ended.value.code == 0
    said = capsys.readouterr()
    return said.out, said.err


SAME_PLACE = ("{region: eu-central-1, variables", '{region: eu-west-1, account: "111122223333", variables')


def test_environments_of_one_account_and_region_go_to_one_role(
    tmp_path: Path, synth: Synth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the project names the account or the credentials do."""
    write(tmp_path, SAME_PLACE)
    (found,) = json.loads(run(monkeypatch, capsys, "deploy-policy", "--format", "json")[0])

    assert found["environments"] == synth.asked == ["dev", "prod"]
    assert found["role"] == f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1"
    (policy,) = found["policies"]
    assert policy["name"] == "penstock-acme-hnb659fds-eu-west-1-1"
    assert {"Sid": "S1", "Effect": "Allow"}.items() <= policy["document"]["Statement"][0].items()
    assert found["commands"] == [
        f"aws iam create-policy --policy-name {policy['name']} --policy-document file://./{policy['name']}.json",
        f"npx cdk bootstrap aws://{ACCOUNT}/eu-west-1 "
        f"--cloudformation-execution-policies arn:aws:iam::{ACCOUNT}:policy/{policy['name']}",
    ]


def test_one_environment_alone_warns_of_the_others_that_its_role_deploys(
    tmp_path: Path, synth: Synth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, SAME_PLACE)
    out, said = run(monkeypatch, capsys, "--environment", "prod", "deploy-policy")

    assert synth.asked == ["prod"]
    assert "deploys dev, too (the same account and region), and would no longer be able to" in said
    assert "penstock-acme-prod-1" in out


def test_another_region_has_a_role_of_its_own(
    tmp_path: Path, synth: Synth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    out, said = run(monkeypatch, capsys, "deploy-policy", "--output", "policies")

    assert synth.asked == ["dev", "prod"]
    assert "warning" not in said
    files = sorted(path.name for path in (tmp_path / "policies").iterdir())
    assert files == ["penstock-acme-dev-1.json", "penstock-acme-prod-1.json"]
    text = (tmp_path / "policies/penstock-acme-prod-1.json").read_text()
    assert "eu-central-1" in text
    assert "file://policies/penstock-acme-prod-1.json" in out
    assert f"npx cdk bootstrap aws://{ACCOUNT}/eu-central-1 --cloudformation-execution-policies" in out


def test_no_account_is_asked_for_that_the_project_names(
    tmp_path: Path, synth: Synth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So a CI without credentials can keep the policies under review."""
    write(tmp_path, SAME_PLACE)
    monkeypatch.setattr(Account, "number", property(lambda _: pytest.fail("AWS was asked")))
    (policy,) = json.loads(run(monkeypatch, capsys, "--environment", "prod", "deploy-policy", "--format", "json")[0])

    assert policy["account"] == ACCOUNT


def test_a_bootstrap_of_ones_own_is_named_in_the_command(plan: Plan) -> None:
    own = replace(plan, iam=Iam(bootstrap_qualifier="data_x"))
    command = Bootstrap.of(own, ACCOUNT).commands(pack([Statement(("a:B",), ("*",), {})], "p"), ".")[-1]

    assert "--qualifier data_x --toolkit-stack-name CDKToolkit-data-x" in command
