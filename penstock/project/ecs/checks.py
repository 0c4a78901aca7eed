"""What types cannot say about images, logs, roles, tags and permissions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.aws import arns
from penstock.project.ecs.image_names import check_image, holds_tag, rule, wrong_source
from penstock.project.iam.permissions import Permission, filled, too_many, wrong_permission
from penstock.project.secrets.references import parse
from penstock_runtime.errors import InputError
from penstock_runtime.plan.schedule import ENGINES
from penstock_runtime.plan.task_definition import PullThrough

if TYPE_CHECKING:
    from penstock.project.checks import Checks

MAX_TAGS = 40
"""AWS takes 50 for a resource (AWS General Reference, "Tagging AWS resources"); Penstock and CDK add some of theirs."""
MAX_TAG_KEY, MAX_TAG_VALUE = 128, 256
"""A value has at least one: MWAA's TagValue (botocore's model) and the resource schemas of CloudWatch say so."""


def check_ecs(checks: Checks) -> None:
    """Settings that must fit each other, names that must exist."""
    settings = checks.settings
    _check_region(checks, settings.logs.kms_key, "logs", "kms_key")
    if settings.logs.max_buffer_mib is not None and settings.logs.mode == "blocking":
        fix = "remove it, or write mode: non-blocking"
        checks.add("max_buffer_mib counts only where mode is non-blocking", fix, "logs", "max_buffer_mib")
    _check_boundary(checks, settings.iam.permissions_boundary)
    _check_tags(checks, settings.tags)
    _check_images(checks)
    _check_permissions(checks)


def _check_region(checks: Checks, arn: str | None, *path: str) -> None:
    """A key and a secret that a service of the region uses are in that region."""
    region = checks.settings.region
    if arn is None:
        return
    if (own := arns.parts(arn).region) != region:
        checks.add(f"{path[-1]} is in {own}, and this environment in {region}", f"name one in {region}", *path)
    elif wrong := arns.wrong_partition(arn, region):
        checks.add(*wrong, *path)


def _check_boundary(checks: Checks, arn: str | None) -> None:
    if arn is None:
        return
    here = ("iam", "permissions_boundary")
    if wrong := arns.wrong_partition(arn, checks.settings.region):
        checks.add(*wrong, *here)
    own, account = arns.parts(arn).account, checks.settings.account
    # A policy of one's own, or one of AWS's (IAM API Reference, PutRolePermissionsBoundary); a policy of one's own is
    # for the roles of its account (IAM User Guide, "Managed policies and inline policies").
    if account is not None and own not in ("aws", account):
        what = f"the policy is in account {own}, and this environment in {account}"
        checks.add(what, f"make it in {account} too, and name that one", *here)


def _check_tags(checks: Checks, tags: Mapping[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        checks.add(f"{len(tags)} tags are too many", f"use at most {MAX_TAGS}: AWS takes 50, ours included", "tags")
    first: dict[str, str] = {}
    for key, value in tags.items():
        path = ("tags", key)
        # IAM reads `Owner` and `owner` as one key of a role, and refuses both at once (IAM User Guide, "Tags for AWS
        # Identity and Access Management resources", case sensitivity).
        other = first.setdefault(key.casefold(), key)
        if other != key:
            what = f"tags {other[:60]!r} and {key[:60]!r} differ in capitals only, and a role takes one of them"
            checks.add(
                what, f"keep one; an environment that gives it another value writes {other[:60]!r} too", *path, key=True
            )
        if re.match(r"aws:|penstock:", key, re.IGNORECASE):
            checks.add(f"tag {key[:60]!r} has a prefix that is not yours", "rename it", *path, key=True)
        elif not 0 < len(key) <= MAX_TAG_KEY or not _taggable(key):
            checks.add(f"{key[:60]!r} cannot be a tag's key", _tag_fix(f"1 to {MAX_TAG_KEY}"), *path, key=True)
        if not 0 < len(value) <= MAX_TAG_VALUE or not _taggable(value):
            fix = _tag_fix(f"1 to {MAX_TAG_VALUE}")
            checks.add(f"the value of tag {key[:60]!r} is none that AWS takes", fix, *path)


def _taggable(text: str) -> bool:
    """IAM API Reference, Tag, and those of ECS, S3 and MWAA: letters, digits, spaces and `_ . : / = + - @`."""
    return all(one in "_.:/=+-@" or unicodedata.category(one)[0] in "LNZ" for one in text)


def _tag_fix(count: str) -> str:
    return f"use {count} letters, digits, spaces and _.:/=+-@"


def _check_images(checks: Checks) -> None:
    settings = checks.settings
    rules: dict[str, PullThrough] = {}
    for engine in ENGINES:
        source = getattr(settings.images, engine)
        here = ("images", engine)
        for what, fix, path in wrong_source(engine, source):
            checks.add(what, fix, *here, *path)
        if source.pull_through is not None:
            made = rule(source.pull_through, "")
            if made is not None and rules.setdefault(made.prefix, made) != made:
                what = f"two pull-through rules have the prefix {made.prefix!r}"
                checks.add(what, "give them the same settings, or another prefix", *here, "pull_through", "prefix")
            _check_region(checks, source.pull_through.credentials, *here, "pull_through", "credentials")
        if source.credentials is not None:
            _check_credentials(checks, source.credentials, *here, "credentials")
    if settings.images.meltano.model_fields_set and (settings.meltano is None or settings.meltano.image is None):
        fix = "remove it, or name an image: meltano: {image: …}"
        checks.add("Meltano's image is built, and comes from nowhere else", fix, "images", "meltano")
    for job, listed in settings.jobs.items():
        for index, task in enumerate(listed.tasks):
            if task.image is not None:
                place = ("jobs", job, "tasks", index, "image")
                check_image(checks, task.image, settings.images.command, *place)
    if settings.meltano is not None and settings.meltano.image is not None:
        check_image(checks, settings.meltano.image, settings.images.meltano, "meltano", "image")
    stock = settings.images.openmetadata
    if stock.build is not None:
        for other in sorted(stock.model_fields_set - {"build"}):
            what = f"an image that is built comes from nowhere else, so `{other}` has no place beside build"
            checks.add(what, "keep one of them", "images", "openmetadata", other, key=True)
    if not holds_tag(stock.repository or ""):
        here = ("images", "openmetadata")
        check_image(checks, stock.named("latest"), stock, *here, *(("repository",) if stock.repository else ()))


def _check_credentials(checks: Checks, name: str, *path: Any) -> None:
    checks.known(name, *path, only_secrets=True)
    reference = checks.settings.secrets.get(name)
    if reference is None:
        return
    try:
        secret = parse(name, reference, "")
    except InputError:
        return  # reported where the secret is
    if secret.store != "secretsmanager" or secret.key is not None:
        # Amazon ECS Developer Guide, "Using non-AWS container images": a whole secret in Secrets Manager.
        fix = "name a secret secretsmanager:<name> whose JSON has username and password"
        checks.add(f"secret {name!r} cannot be the log-in of a registry", fix, *path)


def _check_permissions(checks: Checks) -> None:
    settings = checks.settings
    everywhere: Sequence[Permission] = settings.meltano.permissions if settings.meltano else ()
    _check_each(checks, everywhere, "meltano", "permissions")
    if settings.airflow.create is not None:
        _check_each(checks, settings.airflow.create.permissions, "airflow", "create", "permissions")
    for name, job in settings.jobs.items():
        _check_each(checks, job.permissions, "jobs", name, "permissions")
        for index, task in enumerate(job.tasks):
            here = ("jobs", name, "tasks", index)
            _check_each(checks, task.permissions, *here, "permissions")
            both = [*job.permissions, *task.permissions, *(everywhere if task.meltano else ())]
            if size := too_many([filled(one, settings.variables) for one in both]):
                what = f"the permissions of task {task.name!r} take {size} characters, more than its role has room for"
                checks.add(what, "join actions or resources, or split the task", *here)
            if task.read_only_root and task.meltano is not None:
                what = f"task {task.name!r}: Meltano writes beside its project, so its root cannot be read-only"
                checks.add(what, "remove read_only_root", *here, "read_only_root")


def _check_each(checks: Checks, permissions: Sequence[Permission], *path: Any) -> None:
    for index, permission in enumerate(permissions):
        settings = checks.settings
        for what, fix, below in wrong_permission(permission, settings.variables, settings.region):
            checks.add(what, fix, *path, index, *below)
