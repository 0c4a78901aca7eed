"""IAM before and after."""

from __future__ import annotations

from typing import Any

from penstock.diff import permissions


def role(*statements: dict[str, Any], called: str = "worker") -> dict[str, Any]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs"}, "Action": "sts:AssumeRole"}]}
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}
    properties = {"RoleName": called, "AssumeRolePolicyDocument": trust, "Policies": [policy]}
    return {"a": {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}}


def test_grants_gained_and_lost() -> None:
    """By role, resource and condition; a statement that is written another way is not a change."""
    bucket = {"Fn::Join": ["", [{"Fn::GetAtt": ["Dags0A1B2C3D", "Arn"]}, "/*"]]}
    get = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": bucket}
    put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": bucket, "Condition": {"Bool": {"x": "true"}}}
    both = {"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:GetObject"], "Resource": [bucket]}
    changes = permissions.compare(role(get, put), role(both))

    assert [str(one) for one in changes] == [
        "worker: s3:DeleteObject on <Dags>/*",
        'worker: s3:PutObject on <Dags>/* if {"Bool": {"x": "true"}}',
    ]
    assert [one.kind for one in changes] == ["gained", "lost"]
    assert permissions.compare(role(get), role({**get, "Action": "s3:GetObject", "Resource": [bucket]})) == []


def test_a_role_of_another_name_gains_and_loses_what_differs() -> None:
    """Renamed by a prefix, it is replaced; that each of its grants comes and goes would hide the one that does."""
    get = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "b"}
    put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "b"}
    apart = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": get}},
    }
    before, after = role(), role(put, called="data-worker")
    for one in (before, after):
        one["a"]["Resources"]["Policy"] = apart

    assert [(one.kind, str(one)) for one in permissions.compare(before, after)] == [
        ("gained", "data-worker: s3:PutObject on b")
    ]
    assert permissions.compare(before, role(called="data-worker"))[0].who == "data-worker"


def test_policies_apart_from_roles_and_of_buckets_count_too() -> None:
    """A policy's grants are its role's; a bucket's policy names who it is for; so does a role's trust."""
    document = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}
    grant = {"Statement": [{"Effect": "Allow", "Action": "a:b", "NotResource": "c"}]}
    more = role()["a"]["Resources"] | {
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": grant}},
        "BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": document}},
    }
    changes = permissions.compare({}, {"a": {"Resources": more}})

    assert {str(one) for one in changes} == {
        'worker: sts:AssumeRole on role worker by {"Service": "ecs"}',
        "worker: a:b on everything but c",
        "policy of a/BucketPolicy: denied s3:* on * by *",
    }


def test_all_actions_but_some_are_one_grant() -> None:
    """`everything but a` beside `everything but b` would be everything."""
    grant = {"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "account:*"], "Resource": "*"}}
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["worker"], "PolicyDocument": grant}}

    assert [str(one) for one in permissions.compare({}, {"a": {"Resources": {"Policy": policy}}})] == [
        "worker: everything but iam:*, account:* on *"
    ]


def test_a_boundary_and_a_keys_policy_are_permissions() -> None:
    """What no policy can exceed, gained and lost; who may use a key, statement by statement."""
    boundary = "arn:aws:iam::111122223333:policy/limits"
    bounded = role()
    bounded["a"]["Resources"]["Role"]["Properties"]["PermissionsBoundary"] = boundary
    (gained,) = permissions.compare(role(), bounded)
    (lost,) = permissions.compare(bounded, role())

    assert (gained.kind, str(gained)) == ("gained", f"worker: permissions boundary {boundary}")
    assert (lost.kind, str(lost)) == ("lost", f"worker: permissions boundary {boundary}")

    def key(*services: str) -> dict[str, Any]:
        statements = [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "kms:Decrypt", "Resource": "*"}
            for service in services
        ]
        resource = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": statements}}}
        return {"a": {"Resources": {"Key": resource}}}

    changes = permissions.compare(key("logs", "events"), key("logs", "cloudwatch"))
    assert [(one.kind, str(one)) for one in changes] == [
        ("gained", 'policy of a/Key: kms:Decrypt on * by {"Service": "cloudwatch"}'),
        ("lost", 'policy of a/Key: kms:Decrypt on * by {"Service": "events"}'),
    ]
