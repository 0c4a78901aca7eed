"""`penstock deploy-policy` as a user runs it: the printed commands give the bootstrap's execution role these policies.

CloudFormation of the embedded AWS makes resources without that role, so no deploy is proven here; the calls that it
would make are made with a session of the role instead.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from penstock.local.aws.endpoint import Endpoint, Keys
from tests.functional.embedded import ACCOUNT, REGION, policy, serving, trust
from tests.functional.live_project import PROJECT, LiveProject

ROLE = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveProject]:
    """A project whose account is bootstrapped by the commands that were printed for it."""
    folder = tmp_path_factory.mktemp("deploy-policy")
    with serving(folder / "aws") as server:
        live = LiveProject(folder / "project", server.endpoint)
        live.folder.mkdir()
        live.file.write_text(PROJECT)
        printed = live.penstock("deploy-policy", "--output", "policies").stdout
        commands = [shlex.split(line) for line in printed.splitlines() if line.startswith(("aws ", "npx "))]
        for command in commands[:-1]:
            _create_policy(server.endpoint, live.folder, command)
        assert commands[-1][:2] == ["npx", "cdk"]
        live.cdk(*commands[-1][2:], cwd=live.folder)
        yield live


def _create_policy(endpoint: Endpoint, folder: Path, command: list[str]) -> None:
    """What the AWS CLI does."""
    assert command[:3] == ["aws", "iam", "create-policy"]
    options = dict(zip(command[3::2], command[4::2], strict=True))
    document = (folder / options["--policy-document"].removeprefix("file://")).read_text()
    endpoint.client("iam").create_policy(PolicyName=options["--policy-name"], PolicyDocument=document)


@pytest.fixture(scope="module")
def session(project: LiveProject) -> Keys:
    """The execution role's, which only CloudFormation gets on AWS."""
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    project.endpoint.client("iam").update_assume_role_policy(
        RoleName=ROLE, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [root]})
    )
    return project.endpoint.assume(f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", "AWSCloudFormation")


def test_the_role_has_the_printed_policies_and_no_other(project: LiveProject) -> None:
    """AdministratorAccess, which CDK gives it, is gone."""
    iam = project.endpoint.client("iam")
    attached = {one["PolicyName"] for one in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]}

    assert attached == {path.stem for path in (project.folder / "policies").iterdir()}
    assert attached
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == []


# Of other calls the emulator does not tell IAM what they are on.
CALLS = [
    ("s3", "create_bucket", "Bucket", "{}-ingestion-artifacts-1"),
    ("logs", "create_log_group", "logGroupName", "/penstock/{}"),
    ("sns", "create_topic", "Name", "{}-observability-Topic-1"),
]
MORE: dict[str, dict[str, Any]] = {"s3": {"CreateBucketConfiguration": {"LocationConstraint": REGION}}}


@pytest.mark.parametrize(("service", "call", "parameter", "name"), CALLS)
def test_the_role_makes_what_is_ours_and_nothing_of_another_project(
    project: LiveProject, session: Keys, service: str, call: str, parameter: str, name: str
) -> None:
    """Both with the same call; only the name differs."""
    make = getattr(project.endpoint.client(service, session), call)
    more = MORE.get(service, {})

    make(**{parameter: name.format("acme-dev")}, **more)
    with refused():
        make(**{parameter: name.format("other-dev")}, **more)


TRUST = json.dumps(trust("lambda.amazonaws.com"))
NEEDS = json.dumps(policy("", {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/*"})["PolicyDocument"])


def test_the_role_makes_our_roles_and_widens_none(project: LiveProject, session: Keys) -> None:
    """Not with AdministratorAccess. The emulator tells no `iam:PolicyARN`: what may be attached, tests/golden shows."""
    iam, ours = project.endpoint.client("iam", session), "acme-dev-airflow-ReleaseRole-1"

    iam.create_role(RoleName=ours, AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName=ours, PolicyName="Needs", PolicyDocument=NEEDS)
    with refused():
        iam.attach_role_policy(RoleName=ours, PolicyArn=ADMIN)
    with refused():
        iam.create_role(RoleName="Admin", AssumeRolePolicyDocument=TRUST)


CHANGES: list[tuple[str, dict[str, str]]] = [
    ("attach_role_policy", {"PolicyArn": BASIC}),
    ("put_role_policy", {"PolicyName": "Needs", "PolicyDocument": NEEDS}),
    ("update_assume_role_policy", {"PolicyDocument": TRUST}),
    ("delete_role", {}),
]


@pytest.mark.parametrize(("change", "arguments"), CHANGES)
def test_the_role_changes_neither_itself_nor_the_deploy_role(
    project: LiveProject, session: Keys, change: str, arguments: dict[str, str]
) -> None:
    for role in (ROLE, ROLE.replace("cfn-exec", "deploy")):
        with refused():
            getattr(project.endpoint.client("iam", session), change)(RoleName=role, **arguments)


def refused() -> Any:
    """IAM refuses what is done in it."""
    return pytest.raises(botocore.exceptions.ClientError, match=r"is not authorized to perform|AccessDenied")
