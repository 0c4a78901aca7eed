"""Which of the three ways to an Airflow a project takes, and what types cannot say about one that exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from penstock.aws import arns
from penstock.aws.bucket_names import wrong_name
from penstock.project.airflow.model import WAYS
from penstock.project.network.model import ID
from penstock.versions import airflow as versions

if TYPE_CHECKING:
    from penstock.project.checks import Checks

_FOLDER = r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]*(?:/[A-Za-z0-9_=-][A-Za-z0-9_.=-]*)*"
"""What is safe in an S3 key, in a URL and on a disk; no part that is hidden or leads up."""


def check_airflow_choice(checks: Checks) -> None:
    """Exactly one of the three; and for the two that exist already, that what they name can be what it should be."""
    airflow = checks.settings.airflow
    chosen = [way for way in WAYS if getattr(airflow, way) is not None]
    if len(chosen) != 1:
        fix = "keep one of them" if chosen else "add create: {version: …}, or run penstock adopt for one that exists"
        what = f"airflow wants exactly one of {_listed(WAYS)}, and has {_listed(chosen)}"
        checks.add(what, fix, "airflow", *chosen[-1:], key=bool(chosen))
    for way in ("use", "self_managed"):
        if getattr(airflow, way) is not None:
            _check_existing(checks, way)
    if airflow.use is not None:
        check_role(checks, airflow.use.execution_role, "airflow", "use", "execution_role")
        _check_groups(checks, airflow.use.security_groups)


def _check_existing(checks: Checks, way: str) -> None:
    settings = checks.settings
    existing: Any = getattr(settings.airflow, way)
    here = ("airflow", way)
    upgrade = "upgrade it first" if way == "self_managed" else versions.UPGRADE
    if problem := versions.problem(existing.version, upgrade=upgrade):
        checks.add(*problem, *here, "version")
    if existing.bucket is not None and (wrong := wrong_name(existing.bucket)):
        checks.add(*wrong, *here, "bucket")
    check_folder(checks, existing.dags, *here, "dags")
    if existing.kms_key is not None:
        _check_key(checks, existing.kms_key, *here, "kms_key")
    if existing.kms_key is not None and existing.bucket is None:
        fix = "name the bucket that the key is of, or remove kms_key"
        checks.add("kms_key belongs to a bucket that exists, and none is named", fix, *here, "kms_key", key=True)


def check_folder(checks: Checks, dags: str, *path: Any) -> None:
    """That a DAG folder is one that a bundle can go to."""
    if not re.fullmatch(_FOLDER, dags):
        fix = "write it as dags or team/dags: no / at its ends, letters, digits, _ . = -"
        checks.add(f"{dags[:60]!r} cannot be a folder for DAGs here", fix, *path)


def _check_key(checks: Checks, arn: str, *path: Any) -> None:
    if not re.fullmatch(arns.KEY, arn):
        fix = "write the ARN of the key, arn:aws:kms:…:key/…; an alias cannot be granted"
        checks.add(f"{arn[:90]!r} is no ARN of a KMS key", fix, *path)
    # A bucket and its key are in one region (Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys").
    elif (region := arns.parts(arn).region) != checks.settings.region:
        what = f"the key is in {region}, and the bucket must be in {checks.settings.region}"
        checks.add(what, "name the bucket's own key", *path)
    elif wrong := arns.wrong_partition(arn, region):
        checks.add(*wrong, *path)


def check_role(checks: Checks, role: str, *here: str) -> None:
    """That a role can be one of this environment's account and partition; it goes by its ARN, or its name."""
    if not re.fullmatch(arns.ROLE, role):
        if not re.fullmatch(arns.ROLE_NAME, role):
            fix = "write its ARN, arn:aws:iam::<account>:role/<name>, or its name"
            checks.add(f"{role[:90]!r} is no ARN and no name of a role", fix, *here)
        return
    if wrong := arns.wrong_partition(role, checks.settings.region):
        checks.add(*wrong, *here)
    own, account = arns.parts(role).account, checks.settings.account
    if account is not None and own != account:
        what = f"the role is in account {own}, and this environment in {account}"
        checks.add(what, "deploy to the account of the MWAA environment: its role and its tasks belong together", *here)


def _check_groups(checks: Checks, groups: list[str]) -> None:
    here = ("airflow", "use", "security_groups")
    for index, group in enumerate(groups):
        if not re.fullmatch(f"sg-{ID}", group):
            checks.add(f"{group[:60]!r} is no id of AWS", "write sg- and 8 or 17 hex digits", *here, index)
        elif group in groups[:index]:
            checks.add(f"{group} is there twice", "remove one", *here, index)
    if groups and checks.settings.network.create is not None:
        what = "these security groups are in the VPC of the MWAA environment, and the tasks are in one of their own"
        checks.add(what, "remove security_groups, or run the tasks there: network: {use: {vpc: …}}", *here, key=True)


def _listed(ways: Any) -> str:
    return ", ".join(ways) if ways else "none"
