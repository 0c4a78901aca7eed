"""Which of the three ways to an Airflow a project takes, and what types cannot say about one that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from penstock.aws import arns
from penstock.aws.arns import ID
from penstock.aws.bucket_names import wrong_name
from penstock.problem import Problem
from penstock.project.airflow.model import WAYS, Airflow
from penstock.versions import airflow as versions

_FOLDER = r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]*(?:/[A-Za-z0-9_=-][A-Za-z0-9_.=-]*)*"
"""What is safe in an S3 key, in a URL and on a disk; no part that is hidden or leads up."""


def check_airflow_choice(
    airflow: Airflow, region: str, account: str | None, *, makes_network: bool
) -> Iterator[Problem]:
    """Exactly one of the three; and for the two that exist already, that what they name can be what it should be."""
    chosen = [way for way in WAYS if getattr(airflow, way) is not None]
    if len(chosen) != 1:
        fix = "keep one of them" if chosen else "add create: {version: …}, or run penstock adopt for one that exists"
        what = f"airflow must have exactly one of {_listed(WAYS)}, and has {_listed(chosen)}"
        yield Problem(what, fix, ("airflow", *chosen[-1:]), at_key=bool(chosen))
    for way in ("use", "self_managed"):
        if getattr(airflow, way) is not None:
            yield from _check_existing(airflow, way, region)
    if airflow.use is not None:
        yield from check_role(airflow.use.execution_role, region, account, "airflow", "use", "execution_role")
        yield from _check_groups(airflow.use.security_groups, makes_network)


def _check_existing(airflow: Airflow, way: str, region: str) -> Iterator[Problem]:
    existing: Any = getattr(airflow, way)
    here = ("airflow", way)
    upgrade = "upgrade it first" if way == "self_managed" else versions.UPGRADE
    if problem := versions.problem(existing.version, upgrade=upgrade):
        yield problem.at(*here, "version")
    if existing.bucket is not None and (wrong := wrong_name(existing.bucket)):
        yield wrong.at(*here, "bucket")
    yield from check_folder(existing.dags, *here, "dags")
    if existing.kms_key is not None:
        yield from _check_key(existing.kms_key, region, *here, "kms_key")
    if existing.kms_key is not None and existing.bucket is None:
        fix = "name the bucket that the key is of, or remove kms_key"
        yield Problem(
            "kms_key belongs to a bucket that exists, and none is named", fix, (*here, "kms_key"), at_key=True
        )


def check_folder(dags: str, *path: Any) -> Iterator[Problem]:
    """That a DAG folder is one that a bundle can go to."""
    if not re.fullmatch(_FOLDER, dags):
        fix = "write it as dags or team/dags: no / at its ends, letters, digits, _ . = -"
        yield Problem(f"{dags[:60]!r} cannot be a folder for DAGs here", fix, path)


def _check_key(arn: str, region: str, *path: Any) -> Iterator[Problem]:
    if not re.fullmatch(arns.KEY, arn):
        fix = "write the ARN of the key, arn:aws:kms:…:key/…; an alias cannot be granted"
        yield Problem(f"{arn[:90]!r} is not the ARN of a KMS key", fix, path)
    # A bucket and its key are in one region (Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys").
    elif (own := arns.parts(arn).region) != region:
        what = f"the key is in {own}, and the bucket must be in {region}"
        yield Problem(what, "name the bucket's own key", path)
    elif wrong := arns.wrong_partition(arn, region):
        yield wrong.at(*path)


def check_role(role: str, region: str, account: str | None, *here: str) -> Iterator[Problem]:
    """That a role can be one of this environment's account and partition; it goes by its ARN, or its name."""
    if not re.fullmatch(arns.ROLE, role):
        if not re.fullmatch(arns.ROLE_NAME, role):
            fix = "write its ARN, arn:aws:iam::<account>:role/<name>, or its name"
            yield Problem(f"{role[:90]!r} is neither the ARN nor the name of a role", fix, here)
        return
    if wrong := arns.wrong_partition(role, region):
        yield wrong.at(*here)
    own = arns.parts(role).account
    if account is not None and own != account:
        what = f"the role is in account {own}, and this environment in {account}"
        yield Problem(
            what, "deploy to the account of the MWAA environment: its role and its tasks belong together", here
        )


def _check_groups(groups: list[str], makes_network: bool) -> Iterator[Problem]:
    here = ("airflow", "use", "security_groups")
    for index, group in enumerate(groups):
        if not re.fullmatch(f"sg-{ID}", group):
            yield Problem(f"{group[:60]!r} is not an AWS id", "write sg- and 8 or 17 hex digits", (*here, index))
        elif group in groups[:index]:
            yield Problem(f"{group} is listed twice", "remove one", (*here, index))
    if groups and makes_network:
        what = "these security groups are in the VPC of the MWAA environment, and the tasks are in one of their own"
        yield Problem(
            what, "remove security_groups, or run the tasks there: network: {use: {vpc: …}}", here, at_key=True
        )


def _listed(ways: Any) -> str:
    return ", ".join(ways) if ways else "none"
