"""The fast path: bundle and configs to their buckets, then live. No infrastructure is touched.

Order, as in a deploy: artifacts; the release; the loaders, last (`penstock_runtime.release.activation`). Whatever ends
it early leaves the old loaders in place, and they name the old release, which stays where it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.bundle import task_files
from penstock.bundle.build import Bundle, build_bundle
from penstock.bundle.revision import Revision
from penstock.deployed import needs
from penstock.deployed.account import THREADS, aws
from penstock.deployed.state import Deployed
from penstock.diff import plans
from penstock.diff.plans import Change
from penstock.home import DAGS, HOME
from penstock.project.files import content
from penstock_runtime import contract
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan, ProjectFile
from penstock_runtime.release import activation, infrastructure
from penstock_runtime.release.manifest import TOP, Refused, Release

RECIPES = HOME / "runtime" / "images"
"""The images that Penstock builds itself, a folder each."""
Objects = Mapping[tuple[str, str], bytes]
"""(bucket, key) → content."""


@dataclass(frozen=True)
class Push:
    """A push that can be done."""

    deployed: Deployed
    release: Release
    objects: Objects
    """What must be there before the switch; each is under a key that its content gives."""
    changes: tuple[Change, ...]
    waiting: tuple[str, ...]
    """What the project changes besides, and a push cannot."""
    force: bool
    live: Release | None = field(default=None)
    """What it replaces."""
    files: Mapping[str, ProjectFile] = field(default_factory=dict)
    """Key in the artifacts bucket → what tasks get of the project, of any size; it must be there too."""
    project: Path = Path()
    """The project's folder, which holds these files."""


@dataclass(frozen=True)
class Lacking:
    """Why a push cannot be done: what the deployed infrastructure does not hold."""

    reasons: tuple[str, ...]


def prepare(
    deployed: Deployed,
    plan: Plan,
    facts: dict[str, Any],
    bundle: Bundle,
    revision: Revision,
    *,
    project: Path,
    force: bool = False,
) -> Push | Lacking:
    """Work out a push. Changes nothing.

    Args:
        facts: `infrastructure.describe` of the plan.
        project: the project's folder.
        force: replace what is newer, too.

    Raises:
        PenstockError: something newer is live.
    """
    lacking = needs.lacking(deployed.infrastructure, facts, plan)
    if lacking:
        return Lacking(tuple(lacking))
    release = revision.release(bundle.release, facts["plan"], "push")
    live = deployed.manifest.live if deployed.manifest else None
    reason = activation.refusal(live, release)
    if reason and not force:
        raise _refused(reason)
    before = deployed.plan()
    place = deployed.place
    objects = {(place.artifacts, key): content for key, content in bundle.artifacts.items()}
    objects |= {(place.bucket, key): content for key, content in staged(bundle, place.folder, plan.prefix).items()}
    return Push(
        deployed=deployed,
        release=release,
        objects=objects,
        files={contract.file_key(file.sha256): file for file in task_files.unique(plan)},
        project=project,
        changes=tuple(plans.compare(before, plans.as_data(plan))),
        waiting=tuple(needs.waiting(deployed.infrastructure, facts)),
        force=force,
        live=live,
    )


def staged(bundle: Bundle, folder: str, prefix: str) -> dict[str, bytes]:
    """A bundle's keys in the DAG bucket before it is live: all of it below `release/<hash>/`.

    What hides all releases from Airflow lies beside them, since the first deploy.
    """
    releases = f"{contract.RELEASES_FOLDER}/"
    top = f"{releases}{bundle.release}/{TOP}/"
    paths = {path.removeprefix(f"{prefix}/"): content for path, content in bundle.dags.items()}
    paths.pop(f"{releases}.airflowignore", None)
    return {f"{folder}/{path if path.startswith(releases) else top + path}": content for path, content in paths.items()}


def do(push: Push, tell: Callable[[str], None]) -> int:
    """Upload what is missing, then make it live; returns how many objects were uploaded.

    Args:
        tell: gets a line for each old release that could not be deleted.

    Raises:
        PenstockError: AWS refused a call, or another deploy or push came first; what was live is live.
    """
    account, place = push.deployed.account, push.deployed.place
    uploaded = _uploaded(push)
    missing = {address: body for address, body in push.objects.items() if address not in uploaded}

    def put(address: tuple[str, str]) -> None:
        bucket, key = address
        account.s3.put_object(Bucket=bucket, Key=key, Body=missing[address])

    files = {key: file for key, file in push.files.items() if (place.artifacts, key) not in uploaded}
    with aws("upload"):
        for key, file in files.items():
            _put_file(push, key, file)
        with ThreadPoolExecutor(THREADS) as pool:
            # A config or a release's file is of no use alone: the first failure ends the push.
            list(pool.map(put, missing))
        try:
            activation.activate(account.s3, place, push.release, force=push.force, warn=tell)
        except Refused as error:
            raise _refused(str(error)) from error
    return len(missing) + len(files)


def _put_file(push: Push, key: str, file: ProjectFile) -> None:
    """Upload a file of any size, in parts.

    Raises:
        PenstockError: it is not what it was when the plan was made; then nothing is under its key.
    """
    with tempfile.NamedTemporaryFile(prefix="penstock-push-") as copy:
        # A copy: what is uploaded is what was checked, whatever becomes of the file meanwhile.
        copy.writelines(content.parts(push.project / file.path, file.path, file.sha256))
        copy.seek(0)
        push.deployed.account.s3.upload_fileobj(copy, push.deployed.place.artifacts, key)


def _uploaded(push: Push) -> set[tuple[str, str]]:
    """Which of the objects are in the buckets: keys follow from the content, so those need no upload."""
    place = push.deployed.place
    prefixes = [(place.bucket, f"{place.folder}/{contract.RELEASES_FOLDER}/{push.release.release}/")]
    folders = [contract.CONFIGS_PREFIX, contract.RUNTIME_PREFIX, contract.PLANS_PREFIX]
    folders += [contract.FILES_PREFIX] if push.files else []
    prefixes += [(place.artifacts, f"{folder}/") for folder in folders]
    uploaded = set()
    for bucket, prefix in prefixes:
        with aws(f"list s3://{bucket}/{prefix}"):
            pages = push.deployed.account.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            uploaded |= {(bucket, item["Key"]) for page in pages for item in page.get("Contents", [])}
    return uploaded


def make(plan: Plan) -> Bundle:
    """The plan's bundle."""
    return build_bundle(plan, dags_folder=DAGS)


def _refused(reason: str) -> PenstockError:
    what, _, fix = reason.partition(". ")
    return PenstockError(what, fix=fix[:1].lower() + fix[1:] if fix else "try again")


def infrastructure_facts(plan: Plan, bundle: Bundle, project: Path) -> dict[str, Any]:
    """What a deploy of the plan would put there."""
    images = infrastructure.image_contents(plan, recipes=RECIPES, project=project)
    return infrastructure.describe(plan, runtime_sha256=bundle.runtime_sha256, images=images, account=plan.account)
