"""Golden cases as deployments, and how IAM would answer to whoever has their policies."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.deploy_policy.documents import Policy, pack
from penstock.deploy_policy.scope import Deployment
from penstock.deploy_policy.statements import statements
from penstock.local.aws import compat
from penstock_runtime.plan.plan import Plan
from tests.golden import regenerate

CASES = sorted(path.relative_to(regenerate.HERE).as_posix() for path in regenerate.HERE.glob("*/expected/*"))
ROLE = f"arn:aws:sts::{regenerate.ACCOUNT}:assumed-role/cdk-hnb659fds-cfn-exec-role/AWSCloudFormation"


def read(case: str) -> Deployment:
    """One environment of a golden case."""
    folder = regenerate.HERE / case
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(folder.glob("*.template.json"))
    }
    return Deployment(Plan.from_json(Path(folder, "plan.json").read_text()), templates)


def account_of(plan: Plan) -> str:
    """As the golden cases are synthesized."""
    return plan.account or regenerate.ACCOUNT


@functools.cache
def policies(case: str) -> list[Policy]:
    """What is printed for it."""
    deployment = read(case)
    return pack(statements([deployment], account_of(deployment.plan)), "penstock")


def allows(
    found: Sequence[Policy],
    action: str,
    resource: str,
    *,
    request_tags: Mapping[str, str] | None = None,
    resource_tags: Mapping[str, str] | None = None,
    **keys: str,
) -> bool:
    """Whether IAM would let the role do it; the evaluator is the one that the embedded AWS enforces IAM with.

    Args:
        keys: further condition keys, with `__` for the colon.
    """
    evaluator: Any = compat.iam_evaluator
    tags = {f"aws:resourcetag/{key}": value for key, value in (resource_tags or {}).items()}
    context = evaluator.EvalContext(
        principal_arn=ROLE,
        principal_type="AssumedRole",
        principal_account=resource.split(":")[4] or regenerate.ACCOUNT if resource != "*" else regenerate.ACCOUNT,
        action=action,
        resource_arn=resource,
        region="eu-west-1",
        request_tags=dict(request_tags or {}),
        service_context=tags | {key.replace("__", ":").lower(): value for key, value in keys.items()},
    )
    parsed = [_parsed(json.dumps(one.document)) for one in found]
    return bool(evaluator.evaluate(context, parsed).decision == "Allow")


@functools.cache
def _parsed(document: str) -> Any:
    return compat.iam_evaluator.parse_policy_document(document)
