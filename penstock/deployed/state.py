"""The deployed project, as its buckets and stacks tell of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from penstock.deployed.account import MISSING, Account, aws, error_code
from penstock_runtime import activation, contract, infrastructure
from penstock_runtime.activation import Manifest, Place
from penstock_runtime.errors import InputError, PenstockError
from penstock_runtime.plan import Plan

DEPLOY_FIRST = "deploy it first: npx cdk deploy --all -c environment={environment}"


@dataclass(frozen=True)
class Deployed:
    """One project and environment in one account."""

    account: Account
    place: Place
    infrastructure: dict[str, Any]
    """See `penstock_runtime.infrastructure.describe`."""
    manifest: Manifest | None

    def plan(self) -> dict[str, Any] | None:
        """The plan of the live release, as decoded JSON: another version of Penstock may have written it."""
        sha256 = self.manifest.live.plan if self.manifest else str(self.infrastructure["plan"])
        text = _text(self.account, self.place.artifacts, contract.plan_key(sha256))
        return None if text is None else _object(text, contract.plan_key(sha256))


def find(account: Account, plan: Plan, to: str | None = None) -> Deployed | None:
    """What is deployed of a plan's project and environment; None: nothing.

    Args:
        to: `s3://bucket/folder` of its DAGs; None: the outputs of its stack say so.

    Raises:
        InputError: `to` is no such address.
        PenstockError: what is there cannot be read, or is not of this version.
    """
    found = _where(to) if to is not None else _outputs(account, f"{plan.prefix}-airflow")
    if found is None:
        return None
    bucket, folder = found
    texts = []
    for file in (contract.RESOURCES_FILE, infrastructure.FILE):
        text = _text(account, bucket, f"{folder}/{file}")
        if text is None:
            fix = DEPLOY_FIRST.format(environment=plan.environment)
            raise PenstockError(f"s3://{bucket}/{folder}/{file} is missing", fix=f"{fix}, with this version")
        texts.append(_object(text, file))
    resources, facts = texts
    if facts.get("format") != infrastructure.FORMAT:
        raise PenstockError(f"{infrastructure.FILE} is of another format", fix="use the Penstock that deployed it")
    place = Place(str(resources["artifacts_bucket"]), bucket, folder)
    with aws(f"read s3://{place.artifacts}/{activation.MANIFEST}"):
        try:
            manifest, _ = activation.read(account.s3, place.artifacts)
        except activation.Refused as error:
            raise PenstockError(str(error), fix="use the Penstock that deployed it, or a newer one") from error
    return Deployed(account, place, facts, manifest)


def templates(account: Account, prefix: str) -> dict[str, dict[str, Any]]:
    """Name → template of the deployed stacks of a project and environment."""
    cfn = account.client("cloudformation")
    found = {}
    with aws("read the deployed stacks"):
        for page in cfn.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                name = stack["StackName"]
                if not name.startswith(f"{prefix}-") or _prefix_of(stack) not in (None, prefix):
                    continue
                body = cfn.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
                found[name] = dict(body) if isinstance(body, dict) else json.loads(body)
    return found


def _prefix_of(stack: Any) -> str | None:
    """By its tags, whose stack it is: `acme-dev-…` may be of project `acme-dev`, too."""
    tags = {one["Key"]: one["Value"] for one in stack.get("Tags", [])}
    project, environment = tags.get("penstock:project"), tags.get("penstock:environment")
    return f"{project}-{environment}" if project and environment else None


def _outputs(account: Account, stack: str) -> tuple[str, str] | None:
    with aws(f"read the outputs of stack {stack}"):
        try:
            (found,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except botocore.exceptions.ClientError as error:
            if error_code(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    if not {"DagBucket", "DagFolder"} <= outputs.keys():
        fix = "deploy it with this version of Penstock, or name its DAGs: --to s3://bucket/dags/folder"
        raise PenstockError(f"stack {stack} does not say where its DAGs are", fix=fix)
    return outputs["DagBucket"], outputs["DagFolder"]


def _where(to: str) -> tuple[str, str]:
    parts = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+?)/*", to)
    if parts is None:
        raise InputError(f"{to[:100]!r} is no folder of a bucket", fix="write s3://bucket/dags/project-environment")
    return parts[1], parts[2]


def _text(account: Account, bucket: str, key: str) -> str | None:
    with aws(f"read s3://{bucket}/{key}"):
        try:
            return str(account.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
        except botocore.exceptions.ClientError as error:
            if error_code(error) in MISSING:
                return None
            raise


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise PenstockError(f"{name} cannot be read: {error}", fix="deploy the project again") from error
    if not isinstance(found, dict):
        raise PenstockError(f"{name} holds no object", fix="deploy the project again")
    return found
