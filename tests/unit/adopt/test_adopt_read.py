"""Reading a live environment: real boto3 clients, whose calls are checked against AWS's model and answered here."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from penstock.adopt.findings import findings
from penstock.adopt.live import Live
from penstock.adopt.read import read
from penstock_runtime.errors import PenstockError

ROLE, KEY = "arn:aws:iam::111122223333:role/service-role/team", "arn:aws:kms:eu-west-1:111122223333:key/1"
GROUPS, SUBNETS = ["sg-1", "sg-2"], ["subnet-1", "subnet-2"]
ENVIRONMENT = {
    "Name": "team",
    "Status": "AVAILABLE",
    "AirflowVersion": "3.0.6",
    "SourceBucketArn": "arn:aws:s3:::team-dags",
    "DagS3Path": "dags/",
    "ExecutionRoleArn": ROLE,
    "NetworkConfiguration": {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS},
    "LoggingConfiguration": {"TaskLogs": {"Enabled": True}},
}
ALL = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
NONE = "NoSuchPublicAccessBlockConfiguration"
Answer = dict[str, Any] | str | Exception | Callable[[dict[str, Any]], Any]


def route(**target: str) -> dict[str, Any]:
    """The answer of DescribeRouteTables: one main table with this default route."""
    default = {"DestinationCidrBlock": "0.0.0.0/0", "Origin": "CreateRoute", "State": "active", **target}
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    table = {"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [local, default]}
    return {"RouteTables": [table]}


def subnet(call: dict[str, Any]) -> dict[str, Any]:
    (name,) = call["SubnetIds"]
    zone = {"subnet-1": "eu-west-1a", "subnet-2": "eu-west-1b"}[name]
    return {"Subnets": [{"SubnetId": name, "VpcId": "vpc-1", "AvailabilityZone": zone}]}


def group(call: dict[str, Any]) -> dict[str, Any]:
    (name,) = call["GroupIds"]
    rules = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}]
    return {"SecurityGroups": [{"GroupId": name, "IpPermissions": rules if name == "sg-1" else []}]}


GOOD: dict[str, Answer] = {
    "mwaa.GetEnvironment": {"Environment": ENVIRONMENT},
    "s3.GetBucketVersioning": {"Status": "Enabled"},
    "s3.GetPublicAccessBlock": {"PublicAccessBlockConfiguration": ALL},
    "s3.GetBucketEncryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}]
        }
    },
    "kms.DescribeKey": {"KeyMetadata": {"KeyId": "1", "Arn": KEY, "KeyManager": "CUSTOMER"}},
    "iam.ListRolePolicies": {"PolicyNames": ["own"], "IsTruncated": False},
    "iam.GetRolePolicy": {
        "PolicyDocument": json.dumps(
            {"Statement": {"Effect": "Allow", "Action": "s3:GetObject*", "Resource": "arn:aws:s3:::team-dags/*"}}
        )
    },
    "iam.ListAttachedRolePolicies": {"AttachedPolicies": [], "IsTruncated": False},
    "ec2.DescribeSubnets": subnet,
    "ec2.DescribeRouteTables": route(NatGatewayId="nat-1"),
    "ec2.DescribeSecurityGroups": group,
}  # fmt: skip


@functools.cache
def shared_client(service: str) -> Any:
    """One for all tests: making it takes longer than a test."""
    session = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
    return session.client(service, config=Config(retries={"total_max_attempts": 1}))


class Account:
    """Clients of an account that answers as the test says: with data, with an error of that code, or by raising."""

    def __init__(self, **answers: Answer) -> None:
        self._answers = GOOD | {name.replace("_", ".", 1): answer for name, answer in answers.items()}
        self._clients: dict[str, Any] = {}
        self.calls: list[str] = []

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            client = shared_client(service)
            # In place of those of the account before.
            for event, handler in (("before-parameter-build", self._note), ("before-call", self._answer)):
                client.meta.events.unregister(event, unique_id=event)
                client.meta.events.register(event, handler, unique_id=event)
            self._clients[service] = client
        return self._clients[service]

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self._last = dict(params)

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        name = f"{model.service_model.service_name}.{model.name}"
        self.calls.append(name)
        answer = self._answers[name]
        if callable(answer):
            answer = answer(self._last)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return SimpleNamespace(status_code=400), {"Error": {"Code": answer, "Message": "said AWS"}}
        return SimpleNamespace(status_code=200), json.loads(json.dumps(answer))


def told(live: Live) -> list[tuple[str, str]]:
    return [(finding.level, finding.what) for finding in findings(live)]


def test_a_sound_environment_has_no_finding() -> None:
    account = Account()
    live = read("team", account)

    assert told(live) == []
    assert (live.dags, live.kms_key, live.account) == ("dags", KEY, "111122223333")
    assert [(one.id, one.zone, one.way_out) for one in live.subnets or ()] == [
        ("subnet-1", "eu-west-1a", "nat-1"), ("subnet-2", "eu-west-1b", "nat-1"),
    ]  # fmt: skip
    assert "s3control.GetPublicAccessBlock" not in account.calls


def role(**statement: Any) -> Account:
    """An account whose execution role allows one thing."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return Account(iam_GetRolePolicy={"PolicyDocument": json.dumps(document)})


POWER_USER = {"NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
QUEUE_KEY = {
    "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt"],
    "NotResource": "arn:aws:kms:*:111122223333:key/*",
    "Condition": {"StringLike": {"kms:ViaService": ["sqs.eu-west-1.amazonaws.com"]}},
}


@pytest.mark.parametrize(
    ("statement", "listed"),
    [
        (POWER_USER, "everything but iam:*, organizations:*, account:*"),
        ({"Action": "*", "NotResource": "arn:aws:s3:::secret"}, "*"),
        ({"Action": "s3:GetObject", "NotResource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}, "s3:GetObject"),
        (
            {key: value for key, value in QUEUE_KEY.items() if key != "Condition"},
            ", ".join(sorted(QUEUE_KEY["Action"])),
        ),
        (QUEUE_KEY | {"NotResource": "arn:aws:kms:*:111122223333:key/1"}, ", ".join(sorted(QUEUE_KEY["Action"]))),
    ],
)
def test_all_but_some_is_as_wide_as_all(statement: dict[str, Any], listed: str) -> None:
    """AWS's PowerUserAccess is written so, and so is many a policy that was meant to be careful."""
    what = f"own lets whoever writes DAGs do this with every resource: {listed}"

    assert told(read("team", role(**statement))) == [("warning", what)]


def test_what_mwaas_guide_asks_for_is_no_finding() -> None:
    """It asks for the keys of all accounts but the user's, since the queue's key is MWAA's own."""
    assert told(read("team", role(**QUEUE_KEY))) == []


@pytest.mark.parametrize(
    ("own", "accounts", "blocked"),
    [
        (NONE, {"PublicAccessBlockConfiguration": ALL}, True),
        (
            {"PublicAccessBlockConfiguration": {**ALL, "BlockPublicAcls": False}},
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
            True,
        ),
        (NONE, {"PublicAccessBlockConfiguration": {**ALL, "RestrictPublicBuckets": False}}, False),
        (NONE, NONE, False),
    ],
)
def test_the_accounts_block_counts_too(own: Answer, accounts: Answer, blocked: bool) -> None:
    """S3 applies the stricter of both, for each of the four settings."""
    live = read("team", Account(s3_GetPublicAccessBlock=own, s3control_GetPublicAccessBlock=accounts))

    assert live.public_access_blocked is blocked
    what = "neither the bucket team-dags nor its account blocks all public access, which MWAA demands"
    assert told(live) == ([] if blocked else [("error", what)])


def test_an_account_whose_block_may_not_be_read_is_no_error() -> None:
    live = read("team", Account(s3_GetPublicAccessBlock=NONE, s3control_GetPublicAccessBlock="AccessDenied"))

    assert told(live) == [("warning", "not looked at: it takes s3:GetAccountPublicAccessBlock")]


@pytest.mark.parametrize(
    ("call", "code", "gone"),
    [
        ("iam_ListRolePolicies", "NoSuchEntity", f"the execution role {ROLE} is gone"),
        ("ec2_DescribeSecurityGroups", "InvalidGroup.NotFound", "the security group sg-2 is gone"),
        ("ec2_DescribeSubnets", "InvalidSubnetID.NotFound", "the subnet subnet-2 is gone"),
        ("kms_DescribeKey", "NotFoundException", f"the bucket's key {KEY} is gone"),
    ],
)
def test_what_is_gone_is_named_and_the_rest_is_read(call: str, code: str, gone: str) -> None:
    """Nothing else is wrong, and what there is to write is there."""

    def second(params: dict[str, Any]) -> Any:
        (name,) = params.get("GroupIds", []) or params["SubnetIds"]
        whole = {"sg-1": group, "subnet-1": subnet}.get(name)
        return code if whole is None else whole(params)

    live = read("team", Account(**{call: second if call.startswith("ec2") else code}))

    assert told(live) == [("error", gone)]
    assert (live.bucket, live.version, live.execution_role) == ("team-dags", "3.0.6", ROLE)


def test_a_bucket_that_is_gone_is_said_once() -> None:
    gone = dict.fromkeys(
        ("s3_GetBucketVersioning", "s3_GetPublicAccessBlock", "s3_GetBucketEncryption"), "NoSuchBucket"
    )

    assert told(read("team", Account(**gone))) == [("error", "the bucket team-dags is gone")]


def test_a_call_that_fails_otherwise_is_a_finding_with_what_aws_said() -> None:
    """Neither AWS's own trouble nor an address that is out of reach keeps the rest from being read."""
    away = botocore.exceptions.ConnectTimeoutError(endpoint_url="https://111122223333.s3-control")
    live = read(
        "team",
        Account(
            iam_ListRolePolicies="ServiceFailure", s3_GetPublicAccessBlock=NONE, s3control_GetPublicAccessBlock=away
        ),
    )
    (first, iam), (second, s3) = told(live)

    assert (first, second) == ("warning", "warning")
    assert "s3:GetAccountPublicAccessBlock: Connect timeout" in first + iam
    assert "iam:ListRolePolicies" in s3
    assert "ServiceFailure" in s3


@pytest.mark.parametrize("missing", ["AirflowVersion", "SourceBucketArn", "DagS3Path", "ExecutionRoleArn"])
def test_an_environment_that_aws_says_too_little_of_cannot_be_adopted(missing: str) -> None:
    """The API promises no member at all; what is missing is named, with the state that explains it."""
    partial = {name: value for name, value in ENVIRONMENT.items() if name != missing} | {"Status": "CREATING"}

    with pytest.raises(PenstockError, match=f"AWS tells no {missing} of team, which is CREATING"):
        read("team", Account(mwaa_GetEnvironment={"Environment": partial}))


@pytest.mark.parametrize("empty", [None, {}, {"SubnetIds": SUBNETS}])
def test_without_its_network_the_rest_is_read(empty: dict[str, Any] | None) -> None:
    partial: dict[str, Any] = {
        name: value
        for name, value in ENVIRONMENT.items()
        if name not in ("NetworkConfiguration", "LoggingConfiguration")
    }
    if empty is not None:
        partial["NetworkConfiguration"] = empty
    live = read("team", Account(mwaa_GetEnvironment={"Environment": partial}))

    what = "not looked at, by airflow:GetEnvironment: AWS tells nothing of the environment's network"
    assert told(live) == [("warning", what)]
    assert (live.security_groups, live.self_referencing, live.logs, live.bucket) == ((), None, {}, "team-dags")
    assert (live.subnets is None) is not bool(empty)


def test_nothing_at_all_is_said_as_such() -> None:
    with pytest.raises(PenstockError, match="which is in a state that AWS does not name"):
        read("team", Account(mwaa_GetEnvironment={"Environment": {}}))


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ({"NatGatewayId": "nat-1"}, "nat-1"),
        ({"GatewayId": "vpce-0firewall"}, "vpce-0firewall"),
        ({"TransitGatewayId": "tgw-1"}, "tgw-1"),
        ({"CoreNetworkArn": "arn:aws:networkmanager::1:core-network/c"}, "arn:aws:networkmanager::1:core-network/c"),
        ({"VpcPeeringConnectionId": "pcx-1"}, "pcx-1"),
        ({"LocalGatewayId": "lgw-1"}, "lgw-1"),
        ({"InstanceId": "i-1", "InstanceOwnerId": "111122223333", "NetworkInterfaceId": "eni-1"}, "eni-1"),
        ({"InstanceId": "i-1", "InstanceOwnerId": "111122223333"}, "i-1"),
    ],
)
def test_any_default_route_is_a_way_out(target: dict[str, str], leads_to: str) -> None:
    """Whatever it leads to: each of EC2's targets, and no member of the route that is none."""
    live = read("team", Account(ec2_DescribeRouteTables=route(**target)))

    assert {one.way_out for one in live.subnets or ()} == {leads_to}
    assert told(live) == []


def test_no_default_route_and_a_dead_one() -> None:
    empty: dict[str, Any] = {"RouteTables": [{"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": []}]}
    none = told(read("team", Account(ec2_DescribeRouteTables=empty)))
    dead = told(read("team", Account(ec2_DescribeRouteTables=route(NatGatewayId="nat-1", State="blackhole"))))

    assert [what.partition(":")[0] for _, what in none] == [f"{one} has no default route" for one in SUBNETS]
    assert dead == [("error", f"the default route of {one} leads to nat-1, which is gone") for one in SUBNETS]


@pytest.mark.parametrize(
    ("answer", "what", "fix"),
    [
        ("AccessDeniedException", r"read the environment 'team': .*said AWS", "airflow:GetEnvironment"),
        ("ExpiredTokenException", "said AWS", "sign in again"),
        (botocore.exceptions.NoCredentialsError(), "no AWS credentials", "AWS_PROFILE"),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="https://a"), "Connect timeout", "check the network"),
    ],
)
def test_an_environment_that_cannot_be_read_ends_it(answer: Answer, what: str, fix: str) -> None:
    """In the words that push and diff use."""
    with pytest.raises(PenstockError, match=what) as told:
        read("team", Account(mwaa_GetEnvironment=answer))

    assert fix in told.value.fix
