"""What Amazon MWAA does not take, said before it would: an environment with a wrong setting fails after an hour."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from penstock.aws import arns
from penstock.aws.bucket_names import wrong_name
from penstock.aws.cloudwatch import RETENTION_DAYS
from penstock.aws.mwaa import (
    CLASSES,
    MAINTENANCE_WINDOW,
    MOST_WORKERS,
    PUBLIC_AND_PRIVATE_SINCE,
    EnvironmentClass,
    Range,
)
from penstock.problem import Problem
from penstock.project.airflow.checks import check_folder, check_role
from penstock.project.airflow.mwaa import CreateAirflow
from penstock.project.airflow.options import HERE, check_options
from penstock.project.document.problems import nearest, shown
from penstock.project.iam.permissions import filled
from penstock.versions import airflow
from penstock.versions.number import parse
from penstock_runtime.contract import ENVIRONMENT_FOLDERS, OWN_FILES_FOLDER

MAX_PERMISSIONS = 6_000
"""Characters of all permissions of an execution role, as JSON. IAM: the inline policies of a role have 10,240
characters ("IAM and AWS STS quotas"); MWAA and our DAGs take up to 4,000."""


def check_create(
    create: CreateAirflow,
    *,
    region: str,
    account: str | None,
    variables: Mapping[str, str],
    secrets: Collection[str],
    line: Callable[..., str],
) -> Iterator[Problem]:
    """All that can be known of an environment without its files; `mwaa_files` reads and checks those."""
    if problem := airflow.problem(create.version):
        yield problem.at(*HERE, "version")
    size = CLASSES.get(create.environment_class)
    if size is None:
        fix = nearest(create.environment_class, CLASSES, kind="class")
        yield Problem(f"unknown MWAA class {create.environment_class[:20]!r}", fix, (*HERE, "class"))
    else:
        yield from _check_counts(create, size)
    if create.access == "public_and_private":
        yield from _check_access(create.version)
    yield from _check_own(create, region, account)
    yield from _check_room(create, variables)
    yield from check_options(create.options, create.version, secrets, line)
    yield from _check_key(create.kms_key, region)
    window = create.maintenance_window
    if window is not None and not MAINTENANCE_WINDOW.fullmatch(window):
        fix = "write DAY:HH:MM in UTC, each half hour, such as SUN:03:30"
        yield Problem(f"{shown(window)} is not the start of a maintenance window", fix, (*HERE, "maintenance_window"))
    days = create.logs.retention_days
    if days not in RETENTION_DAYS:
        nearby = min(RETENTION_DAYS, key=lambda allowed: abs(allowed - days))
        what = f"CloudWatch does not keep logs for {days} days"
        yield Problem(what, f"use {nearby}, or another of: {_listed()}", (*HERE, "logs", "retention_days"))


def _check_own(create: CreateAirflow, region: str, account: str | None) -> Iterator[Problem]:
    """A bucket, a DAG folder and a role of the user's own."""
    if create.bucket is not None and (wrong := wrong_name(create.bucket)):
        yield wrong.at(*HERE, "bucket")
    yield from check_folder(create.dags, *HERE, "dags")
    taken = (OWN_FILES_FOLDER,) if create.bucket else ENVIRONMENT_FOLDERS
    if create.dags.partition("/")[0] in taken:
        what = f"{create.dags[:60]!r} is where requirements, plugins and startup script go in this bucket"
        yield Problem(what, "use another folder, such as dags", (*HERE, "dags"))
    role = create.execution_role
    if role is None:
        return
    if not re.fullmatch(arns.ROLE, role):
        fix = "write arn:aws:iam::<account>:role/<path><name>: aws iam get-role shows it"
        yield Problem(f"{shown(role)} is not the ARN of a role, which MWAA asks for", fix, (*HERE, "execution_role"))
    else:
        yield from check_role(role, region, account, *HERE, "execution_role")


def _listed() -> str:
    return ", ".join(str(days) for days in RETENTION_DAYS)


def _check_counts(create: CreateAirflow, size: EnvironmentClass) -> Iterator[Problem]:
    kind = create.environment_class
    if (said := create.workers) is not None:
        counts = size.counts("worker", said.min, said.max)
        yield from _check_range(kind, "worker", size.workers, *counts, "workers")
    if (wanted := create.web_servers) is not None:
        counts = size.counts("web server", wanted.min, wanted.max)
        yield from _check_range(kind, "web server", size.web_servers, *counts, "web_servers")
    if create.schedulers is not None and create.schedulers not in size.schedulers:
        what = f"{kind} has {size.schedulers} {_plural('scheduler', size.schedulers)}, not {create.schedulers}"
        yield Problem(what, _fix("schedulers", size.schedulers, str(size.schedulers.least)), (*HERE, "schedulers"))


def _check_range(kind: str, noun: str, allowed: Range, least: int, most: int, key: str) -> Iterator[Problem]:
    if least > most:
        yield Problem(f"at least {least} {noun}s and at most {most}", "swap them", (*HERE, key))
        return
    wrong = [value for value in (least, most) if value not in allowed]
    if wrong:
        what = f"{kind} has {allowed} {_plural(noun, allowed)}, not {wrong[0]}"
        if noun == "worker" and allowed.most == MOST_WORKERS:
            what += " (that many with a raised quota)"
        yield Problem(what, _fix(key, allowed, f"{{min: {allowed.least}, max: {allowed.least}}}"), (*HERE, key))


def _plural(noun: str, allowed: Range) -> str:
    return noun if allowed.most == 1 else f"{noun}s"


def _fix(key: str, allowed: Range, smallest: str) -> str:
    if allowed.most == 1:
        return f"write {key}: {smallest}, or leave it out, or use mw1.small"
    return f"use {allowed}"


def _check_access(version: str) -> Iterator[Problem]:
    parts = parse(version)
    if parts is not None and parts < PUBLIC_AND_PRIVATE_SINCE:
        since = ".".join(str(part) for part in PUBLIC_AND_PRIVATE_SINCE)
        what = f"MWAA gives Airflow {version} one kind of access; both at once come with Airflow {since}"
        yield Problem(what, f"use access: private or public, or Airflow {since} or later", (*HERE, "access"))


def _check_room(create: CreateAirflow, variables: Mapping[str, str]) -> Iterator[Problem]:
    """Each permission for itself is checked as a task's is, in `ecs_checks`."""
    permissions = [filled(permission, variables) for permission in create.permissions]
    written = [
        json.dumps([permission.actions, permission.resources, permission.conditions], separators=(",", ":"))
        for permission in permissions
    ]
    # Around each: Effect, and the names of the keys.
    size = sum(len(text) + 60 for text in written)
    if size > MAX_PERMISSIONS:
        what = f"the permissions of Airflow take {size} characters, and its role has room for {MAX_PERMISSIONS}"
        yield Problem(what, "join actions or resources, or give them to a task", (*HERE, "permissions"))


def _check_key(key: str | None, region: str) -> Iterator[Problem]:
    if key is None:
        return
    # API, `KmsKey`; neither an alias nor a multi-Region key is supported: UG, "Using customer managed keys".
    if not re.fullmatch(arns.SINGLE_REGION_KEY, key):
        kind = (
            "an alias" if "alias/" in key else "a multi-region key" if "key/mrk-" in key else "not the ARN of a KMS key"
        )
        what = f"{shown(key)} is {kind}, and MWAA needs a single-region key by its ARN"
        yield Problem(what, "write arn:aws:kms:<region>:<account>:key/<id>", (*HERE, "kms_key"))
    elif (own := arns.parts(key).region) != region:
        what = f"the key is in {own}, and the environment in {region}"
        yield Problem(what, "use a key of the environment's region", (*HERE, "kms_key"))
    elif wrong := arns.wrong_partition(key, region):
        yield wrong.at(*HERE, "kms_key")
