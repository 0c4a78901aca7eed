"""Permissions as AWS checks them: what ministack's IAM evaluator is told about calls of ECS, Logs, ECR, SSM and MWAA.

Source of resource types and condition keys: AWS, "Service Authorization Reference", the page of each service.
"""

from __future__ import annotations

import contextvars
import hmac
import json
import os
import secrets
import time
from collections.abc import Mapping
from typing import Any

from penstock.local.aws import compat
from penstock.local.aws.endpoint import AIRFLOW_ROLES, Keys

CALLER: contextvars.ContextVar[str] = contextvars.ContextVar("penstock_caller", default="")
"""Access key id of the request that is being handled; its signature has been checked when a handler runs."""

_LOG_STREAM_CALLS = ("GetLogEvents", "PutLogEvents", "CreateLogStream", "DeleteLogStream")
_LOG_GROUP_CALLS = ("FilterLogEvents", "DescribeLogStreams", "StartQuery")


class RoleError(Exception):
    """A service cannot assume a role."""


def install() -> None:
    """Put the corrections in the place of ministack's functions."""
    arn, context = compat.iam_actions.extract_resource_arn, compat.iam_actions.request_tag_context

    def extract_resource_arn(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> str:
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        resource = None
        if service == "ecs":
            resource = ecs_resource(operation, _json(body))
        elif service == "logs":
            resource = logs_resource(operation, _json(body))
        elif service == "ecr":
            resource = ecr_resource(operation, _json(body))
        elif service == "ssm":
            resource = ssm_resource(operation, _json(body))
        elif service == "airflow":
            resource = mwaa_resource(path)
        return resource or str(arn(service, method, path, headers, body, *rest))

    def request_tag_context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        keys = dict(context(service, action, body, params))
        return keys | cluster_key(_json(body)) if service == "ecs" else keys

    compat.iam_actions.extract_resource_arn = extract_resource_arn
    compat.iam_actions.request_tag_context = request_tag_context
    # ministack takes `test`, any twelve digits and no key at all for root; here root is one secret key.
    compat.iam_evaluator.is_root_access_key = compat.sts.is_root_access_key = is_root
    # It checks no signature of root's, so that the key's id, which logs hold, would be enough. Here it is checked.
    compat.iam_evaluator._is_root_key = lambda _: False


def is_root(access_key_id: str) -> bool:
    """Whether this is the root key that the server made at its start."""
    return hmac.compare_digest((access_key_id or "").encode(), os.environ["AWS_ACCESS_KEY_ID"].encode())


def ecs_resource(operation: str, call: Mapping[str, Any]) -> str | None:
    """The resource that ECS authorizes a call on; None where ministack's own answer is right."""
    cluster = _name(str(call.get("cluster") or "default"))
    if operation == "RunTask":
        return definition_arn(str(call.get("taskDefinition") or ""))
    if operation in ("StopTask", "DescribeTasks"):
        tasks = call.get("tasks") or [call.get("task") or ""]
        return task_arn(str(tasks[0]), cluster)
    if operation == "ListTasks":
        # On a container instance where the call names one (Amazon ECS Developer Guide, "List and describe tasks").
        instance = str(call.get("containerInstance") or "")
        return ecs_arn(f"container-instance/{cluster}/{_name(instance)}") if instance else "*"
    if operation == "RegisterTaskDefinition":
        return ecs_arn(f"task-definition/{call.get('family')}:*")
    if operation in (
        "ListTaskDefinitions",
        "DescribeTaskDefinition",
        "DeregisterTaskDefinition",
        "ListClusters",
    ):
        return "*"
    return None


def logs_resource(operation: str, call: Mapping[str, Any]) -> str | None:
    """The log stream that a Logs call is authorized on; calls on a group are authorized on `…:log-stream:`."""
    if operation not in (*_LOG_STREAM_CALLS, *_LOG_GROUP_CALLS):
        return None
    group = str(call.get("logGroupName") or call.get("logGroupIdentifier") or "")
    if group.startswith("arn:"):
        group = group.split(":log-group:", 1)[-1].removesuffix(":*")
    stream = str(call.get("logStreamName") or "") if operation in _LOG_STREAM_CALLS else ""
    return log_stream_arn(group, stream)


def ecr_resource(operation: str, call: Mapping[str, Any]) -> str | None:
    """DescribeRepositories names its repositories in a list; several at once need a grant on all."""
    names = call.get("repositoryNames") or []
    if operation != "DescribeRepositories" or len(names) != 1:
        return None
    return f"arn:aws:ecr:{compat.responses.get_region()}:{compat.responses.get_account_id()}:repository/{names[0]}"


def ssm_resource(operation: str, call: Mapping[str, Any]) -> str | None:
    """GetParameters names its parameters in a list; several at once need a grant on all."""
    names = call.get("Names") or []
    if operation != "GetParameters" or len(names) != 1:
        return None
    return parameter_arn(str(names[0]))


def mwaa_resource(path: str) -> str | None:
    """Calls that name an environment in their path are authorized on it; InvokeRestApi is, on a role of its Airflow."""
    kind, _, name = path.strip("/").partition("/")
    if kind == "restapi" and name:
        return airflow_role_arn(name, airflow_role(name))
    region, account = compat.responses.get_region(), compat.responses.get_account_id()
    return f"arn:aws:airflow:{region}:{account}:environment/{name}" if kind == "environments" and name else None


def airflow_role(environment: str) -> str:
    """The role that the caller has in an environment's Airflow: the first that IAM grants; the last, if none is."""
    for role in AIRFLOW_ROLES:
        if caller_denial("airflow:InvokeRestApi", airflow_role_arn(environment, role)) is None:
            return role
    return AIRFLOW_ROLES[-1]


def airflow_role_arn(environment: str, role: str) -> str:
    """The resource `rbac-role` of the Service Authorization Reference, Amazon MWAA."""
    region, account = compat.responses.get_region(), compat.responses.get_account_id()
    return f"arn:aws:airflow:{region}:{account}:role/{environment}/{role}"


def parameter_arn(name: str) -> str:
    """A parameter is `parameter/a/b`, whether its name begins with a slash or not."""
    region, account = compat.responses.get_region(), compat.responses.get_account_id()
    return name if name.startswith("arn:") else f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}"


def cluster_key(call: Mapping[str, Any]) -> dict[str, str]:
    """The condition key `ecs:cluster`."""
    return {"ecs:cluster": ecs_arn(f"cluster/{_name(str(call.get('cluster') or 'default'))}")}


def ecs_arn(resource: str) -> str:
    return f"arn:aws:ecs:{compat.responses.get_region()}:{compat.responses.get_account_id()}:{resource}"


def task_arn(task: str, cluster: str) -> str:
    return task if task.startswith("arn:") else ecs_arn(f"task/{cluster}/{task}")


def definition_arn(reference: str) -> str:
    """The revision that a reference stands for: its latest active one where it names a family only."""
    found = compat.ecs._task_defs.get(compat.ecs._resolve_td_key(reference))
    if found:
        return str(found["taskDefinitionArn"])
    return reference if reference.startswith("arn:") else ecs_arn(f"task-definition/{reference}")


def log_stream_arn(group: str, stream: str) -> str:
    region, account = compat.responses.get_region(), compat.responses.get_account_id()
    return f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{stream}"


def denial(key: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> str | None:
    """Whether the owner of an access key may not do something: the text of AWS's refusal, or None."""
    service = action.split(":", 1)[0]
    refused = compat.iam_evaluator.enforce(
        key, action, service, compat.responses.get_region(), resource, dict(context or {})
    )
    if refused is None:
        return None
    if isinstance(refused, compat.iam_evaluator.AuthError):
        return str(refused.message)
    return (
        f"User: {refused.principal_arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def caller_denial(action: str, resource: str, context: Mapping[str, str] | None = None) -> str | None:
    """`denial` for whoever sent the request that is being handled."""
    return denial(CALLER.get(), action, resource, context)


def pass_role_denial(*roles: str | None) -> str | None:
    """Whether the caller may not hand one of these roles to an ECS task."""
    for role in filter(None, roles):
        refused = caller_denial("iam:PassRole", role, {"iam:PassedToService": "ecs-tasks.amazonaws.com"})
        if refused:
            return refused
    return None


def session(role_arn: str, name: str, service: str, seconds: float) -> Keys:
    """Credentials of a role for one of AWS's services, as the service gets them.

    Raises:
        RoleError: there is no such role, or it does not trust the service.
    """
    account, region = compat.responses.get_account_id(), compat.responses.get_region()
    role = compat.iam._roles.get(role_arn.rsplit("/", 1)[-1])
    if role is None or role["Arn"] != role_arn:
        raise RoleError(f"the role {role_arn} does not exist")
    if not _trusts(role.get("AssumeRolePolicyDocument"), service, account, region):
        raise RoleError(f"the role {role_arn} does not trust {service}")
    keys = Keys("ASIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30), secrets.token_urlsafe(120))
    arn, _ = compat.sts._assumed_role_arn(role_arn, name)
    compat.sts.register_session(
        keys.access_key_id,
        {
            "Arn": arn,
            "UserId": f"{compat.sts._role_id(role_arn)}:{name}",
            "AccountId": account,
            "SecretAccessKey": keys.secret_access_key,
            "SessionToken": keys.session_token,
            "Expiration": time.time() + seconds,
            "PrincipalType": "AssumedRole",
        },
    )
    return keys


def forget(keys: Keys) -> None:
    """End a session."""
    compat.sts._sessions.pop(keys.access_key_id, None)


def _trusts(document: Any, service: str, account: str, region: str) -> bool:
    policy = json.loads(document) if isinstance(document, str) else document or {}
    statements = policy.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal")
        named = principal.get("Service", []) if isinstance(principal, dict) else []
        actions = statement.get("Action", [])
        if (
            statement.get("Effect") == "Allow"
            and service in ([named] if isinstance(named, str) else named)
            and "sts:AssumeRole" in ([actions] if isinstance(actions, str) else actions)
            and _confused_deputy_conditions(statement.get("Condition") or {}, account, region)
        ):
            return True
    return False


def _confused_deputy_conditions(conditions: dict[str, Any], account: str, region: str) -> bool:
    context = compat.iam_evaluator.EvalContext(
        principal_arn="", principal_type="Service", principal_account=account, action="sts:AssumeRole",
        resource_arn="*", region=region,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": f"arn:aws:ecs:{region}:{account}:*"},
    )  # fmt: skip
    return bool(compat.iam_evaluator._conditions_met(conditions, context))


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
