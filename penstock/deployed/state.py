"""The deployed project, as its buckets and stacks describe it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from penstock.deployed import stacks
from penstock.deployed.account import MISSING, Account, aws, error_code
from penstock_runtime import contract
from penstock_runtime.errors import InputError, PenstockError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release import infrastructure
from penstock_runtime.release.manifest import MANIFEST, Manifest, Refused, ReleaseLocation, read_manifest

DEPLOY_FIRST = "deploy it first: npx cdk deploy --all -c environment={environment}"


@dataclass(frozen=True)
class Deployed:
    """One project and environment in one account."""

    account: Account
    place: ReleaseLocation
    infrastructure: dict[str, Any]
    """See `penstock_runtime.release.infrastructure.describe`."""
    manifest: Manifest | None
    resources_json: str = ""
    """What the deploy made for its DAGs: the file's text, which another version of Penstock may have written."""

    def plan(self) -> dict[str, Any] | None:
        """The plan of the live release, as decoded JSON: another version of Penstock may have written it."""
        sha256 = self.manifest.live.plan if self.manifest else str(self.infrastructure["plan"])
        text = _text(self.account, self.place.artifacts, contract.plan_key(sha256))
        return None if text is None else _object(text, contract.plan_key(sha256))


class NotDeployedError(PenstockError):
    """Nothing of the project is deployed, or nothing but what is left of a first deploy that failed."""


def find(account: Account, plan: Plan, to: str | None = None) -> Deployed:
    """What is deployed of a plan's project and environment.

    Args:
        to: `s3://bucket/folder` of its DAGs; None: the outputs of its stack say so.

    Raises:
        InputError: `to` is not such an address.
        NotDeployedError: nothing is.
        PenstockError: what is there cannot be read, or is not of this version.
    """
    bucket, folder = _where(to) if to is not None else _outputs(account, plan)
    texts, texts_of = [], dict[str, str]()
    for file in (contract.RESOURCES_FILE, infrastructure.FILE):
        text = _text(account, bucket, f"{folder}/{file}")
        if text is None:
            fix = DEPLOY_FIRST.format(environment=plan.environment)
            raise PenstockError(f"s3://{bucket}/{folder}/{file} is missing", fix=f"{fix}, with this version")
        texts_of[file] = text
        texts.append(_object(text, file))
    resources, facts = texts
    if facts.get("format") != infrastructure.FORMAT:
        raise PenstockError(f"{infrastructure.FILE} is of another format", fix="use the Penstock that deployed it")
    place = ReleaseLocation(str(resources["artifacts_bucket"]), bucket, folder)
    with aws(f"read s3://{place.artifacts}/{MANIFEST}"):
        try:
            manifest, _ = read_manifest(account.s3, place.artifacts)
        except Refused as error:
            raise PenstockError(str(error), fix="use the Penstock that deployed it, or a newer one") from error
    return Deployed(account, place, facts, manifest, texts_of[contract.RESOURCES_FILE])


def _outputs(account: Account, plan: Plan) -> tuple[str, str]:
    """Bucket and folder of the DAGs."""
    name = f"{plan.prefix}-airflow"
    stack = stacks.named(account, name)
    deploy = DEPLOY_FIRST.format(environment=plan.environment)
    if stack is None or not stacks.is_there(stack):
        remnant, first = (stack and stacks.remnant(stack)) or ("", "")
        what = f"{plan.prefix} is not deployed in {plan.region}{': ' if remnant else ''}{remnant}"
        raise NotDeployedError(what, fix=f"{first}; then {deploy}" if first else deploy)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if {"DagBucket", "DagFolder"} <= outputs.keys():
        return outputs["DagBucket"], outputs["DagFolder"]
    status = str(stack["StackStatus"])
    if status.endswith("_IN_PROGRESS"):
        raise PenstockError(f"stack {name} is {status}: it is being deployed or deleted", fix="wait for its end")
    if status.endswith("_FAILED"):
        raise PenstockError(f"stack {name} is {status}: its deploy did not end well", fix=deploy)
    fix = "deploy it with this version of Penstock, or name its DAGs: --to s3://bucket/dags/folder"
    raise PenstockError(f"stack {name} does not say where its DAGs are", fix=fix)


def _where(to: str) -> tuple[str, str]:
    parts = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+?)/*", to)
    if parts is None:
        raise InputError(f"{to[:100]!r} is not a folder in a bucket", fix="write s3://bucket/dags/project-environment")
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
        value = json.loads(text)
    except ValueError as error:
        raise PenstockError(f"{name} cannot be read: {error}", fix="deploy the project again") from error
    if not isinstance(value, dict):
        raise PenstockError(f"{name} is not a JSON object", fix="deploy the project again")
    return value
