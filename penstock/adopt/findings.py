"""What is wrong with a live MWAA environment, as far as Penstock's tasks and DAGs are concerned. Pure.

Sources: Amazon MWAA User Guide, "Create an Amazon S3 bucket for Amazon MWAA", "About networking on Amazon MWAA",
"Amazon MWAA execution role".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from penstock.adopt.live import Live, Statement, Unread
from penstock.aws.policy_statement import EVERYTHING_BUT
from penstock.versions import airflow

SUBNETS = 2
"""MWAA's, in two availability zones."""
WITHOUT_RESOURCE = frozenset({"logs:DescribeLogGroups", "cloudwatch:PutMetricData", "s3:GetAccountPublicAccessBlock"})
"""What MWAA asks for on `*`, because AWS knows no resource for it."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    level: Literal["error", "warning"]
    """error: MWAA or Penstock does not work with it; warning: works, and should not stay."""
    what: str
    fix: str


def findings(live: Live) -> list[Finding]:
    """All that is wrong, errors first."""
    problems = [Finding("error", gone.what, gone.fix) for gone in live.gone]
    problems += [*_environment(live), *_bucket(live), *_network(live), *_role(live)]
    problems += [_unread(lookup) for lookup in live.unread]
    return sorted(problems, key=lambda finding: finding.level)


def _unread(lookup: Unread) -> Finding:
    if lookup.why:
        return Finding("warning", f"not looked at, by {lookup.permission}: {lookup.why}", "try again, or look yourself")
    return Finding("warning", f"not looked at: it takes {lookup.permission}", "grant it, or look yourself")


def _environment(live: Live) -> Iterator[Finding]:
    if live.status != "AVAILABLE":
        yield Finding("warning", f"the environment is {live.status}", "deploy when it is AVAILABLE")
    if problem := airflow.problem(live.version, upgrade=airflow.UPGRADE):
        yield Finding("error", problem.what, problem.fix)
    elif live.version not in airflow.AIRFLOW:
        known = ", ".join(airflow.AIRFLOW)
        yield Finding(
            "warning", f"Airflow {live.version} was not tried; tried were {known}", "try it in a test account"
        )
    if off := [module for module, on in live.logs.items() if not on]:
        yield Finding("warning", f"logs are off: {', '.join(sorted(off))}", "turn them on, at INFO: TaskLogs above all")


def _bucket(live: Live) -> Iterator[Finding]:
    if live.versioned is False:
        fix = f"aws s3api put-bucket-versioning --bucket {live.bucket} --versioning-configuration Status=Enabled"
        yield Finding("error", f"the bucket {live.bucket} is not versioned, which MWAA demands", fix)
    if live.public_access_blocked is False:
        fix = "block all four kinds of public access on the bucket, or for the account"
        what = f"neither the bucket {live.bucket} nor its account blocks all public access, which MWAA demands"
        yield Finding("error", what, fix)


def _network(live: Live) -> Iterator[Finding]:
    if live.self_referencing is False:
        yield Finding(
            "error",
            f"none of the security groups {', '.join(live.security_groups)} lets its own members in",
            "add an inbound rule for all traffic whose source is the group itself",
        )
    if live.subnets is None:
        return
    zones = sorted({subnet.zone for subnet in live.subnets})
    if len(zones) < SUBNETS:
        what = f"the subnets are all in {', '.join(zones)}: one zone's failure stops everything"
        yield Finding("error", what, "MWAA needs two zones; its subnets are fixed at creation: make a new environment")
    for subnet in live.subnets:
        if subnet.dead:
            what = f"the default route of {subnet.id} leads to {subnet.way_out or 'something'}, which is gone"
            yield Finding("error", what, "route 0.0.0.0/0 to a NAT gateway that exists")
        elif subnet.way_out is None:
            yield Finding(
                "warning",
                f"{subnet.id} has no default route: tasks there reach only what VPC endpoints lead to",
                "route 0.0.0.0/0 to a NAT gateway, or make endpoints for ecr, s3, logs and secretsmanager",
            )
        elif subnet.way_out.startswith("igw-"):
            yield Finding(
                "warning",
                f"{subnet.id} is public ({subnet.way_out}): tasks get no public address, so they reach nothing outside",
                "name private subnets in network.use",
            )


def _role(live: Live) -> Iterator[Finding]:
    wide: dict[str, set[str]] = {}
    for statement in live.role or ():
        wide.setdefault(statement.policy, set()).update(_too_wide(statement))
    for policy, actions in wide.items():
        if actions:
            listed = ", ".join(sorted(actions)[:6]) + (", …" if len(actions) > 6 else "")
            yield Finding(
                "warning",
                f"{policy} lets whoever writes DAGs do this with every resource: {listed}",
                "name the resources; what Penstock's DAGs need comes with its own policy",
            )


def _too_wide(statement: Statement) -> set[str]:
    if _is_mwaas_queue_key(statement):
        return set()
    if any(resource == "*" or resource.startswith(EVERYTHING_BUT) for resource in statement.resources):
        return set(statement.actions) - WITHOUT_RESOURCE
    return {action for action in statement.actions if _of_roles(action) and _any(statement)}


def _is_mwaas_queue_key(statement: Statement) -> bool:
    """The key of the queue that MWAA keeps for itself is in no account of the user's. So the guide asks for the keys of
    all accounts but theirs, by way of SQS ("Amazon MWAA execution role"); the keys' own policies still decide."""
    others = all(
        resource.startswith(EVERYTHING_BUT) and resource.endswith(":key/*") for resource in statement.resources
    )
    keys = all(action.lower().startswith("kms:") for action in statement.actions)
    return others and keys and "kms:viaservice" in statement.conditions


def _of_roles(action: str) -> bool:
    """Whether whoever may do this with every role can be every role; nearly all but something is as good as all."""
    return action in ("*", "iam:*", "iam:PassRole") or (action.startswith(EVERYTHING_BUT) and "iam:*" not in action)


def _any(statement: Statement) -> bool:
    """Whether its resources are all roles, by whatever pattern."""
    return any(resource.endswith((":role/*", ":*")) for resource in statement.resources)
