"""Who may take a role, where a service takes it on somebody's behalf.

AWS's services are not users of this server: whoever needs a session as MWAA would get it asks with the root key (see
`Endpoint.assume`). The request then carries what the service would put into it, so that the conditions of a trust
policy count: `aws:SourceAccount`, and `aws:SourceArn`, which for MWAA is the environment that has the role.

Where a role takes another one, `aws:PrincipalArn` is the role's own ARN, and not its session's (IAM User Guide, "AWS
global condition context keys").
"""

from __future__ import annotations

import dataclasses
from typing import Any

from penstock.local.aws import compat


def install() -> None:
    """Put the correction in the place of ministack's function."""
    evaluate = compat.iam_evaluator.evaluate_trust_policy

    def evaluate_trust_policy(document: Any, caller_arn: str, context: Any = None) -> bool:
        if context is not None and caller_arn.endswith(":root"):
            found = {**context.service_context, **source(context.resource_arn)}
            context = dataclasses.replace(context, service_context=found)
        elif context is not None:
            context = dataclasses.replace(context, principal_arn=principal(caller_arn))
        return bool(evaluate(document, caller_arn, context))

    compat.iam_evaluator.evaluate_trust_policy = evaluate_trust_policy


def principal(caller_arn: str) -> str:
    """`aws:PrincipalArn` of a caller: of a session it is the role."""
    _, found, session = caller_arn.partition(":assumed-role/")
    role = compat.iam._roles.get(session.partition("/")[0]) if found else None
    return str(role["Arn"]) if role else caller_arn


def source(role_arn: str) -> dict[str, str]:
    """On whose behalf a role is taken: condition key → value. Without an environment that has it there is no ARN."""
    environments = [one["Arn"] for one in compat.mwaa._environments.values() if one.get("ExecutionRoleArn") == role_arn]
    account = {"aws:sourceaccount": compat.responses.get_account_id()}
    return {**account, "aws:sourcearn": environments[0]} if environments else account
