"""Where a Meltano project keeps its state, if it says so itself. See docs/adr/0014.

Meltano takes the address from `env` at the top of `meltano.yml`, otherwise from the process, otherwise from
`state_backend.uri`; `systemdb`, its default, is the database of `database_uri` (Meltano 4.4.1, tried with
`config print`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from penstock.aws.arns import partition_of
from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document
from penstock.project.meltano.plugins import variable_of
from penstock.project.meltano.project import MeltanoProject
from penstock.project.meltano.variables import REFERENCE, names_in
from penstock.project.settings import Settings
from penstock_runtime.contract import MELTANO_STATE
from penstock_runtime.plan.task_definition import Permission

DATABASE = "MELTANO_DATABASE_URI"
_SYSTEM_DATABASE = "systemdb"
_EXTRAS = {"azure": "azure", "gs": "gcs", _SYSTEM_DATABASE: "postgres"}
"""Scheme → the extra of Meltano's package that it needs; the image that Penstock builds has `s3`."""
_OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")


@dataclass(frozen=True)
class State:
    """Where the state is."""

    address: str
    """`s3://bucket/prefix`, without credentials; `systemdb`; `a secret` where nobody else can know."""
    where: str
    """The place that says it."""
    lost: bool = False
    """Whether it is inside the container, which is gone after the run."""
    wins: bool = False
    """Whether Meltano takes it whatever the task definition sets."""

    @property
    def scheme(self) -> str:
        """`s3`, `azure`, `systemdb`, …; empty where it is not known."""
        return _SYSTEM_DATABASE if self.address == _SYSTEM_DATABASE else urlsplit(self.address).scheme

    @property
    def bucket(self) -> str | None:
        """The S3 bucket."""
        return urlsplit(self.address).hostname if self.scheme == "s3" else None

    @property
    def prefix(self) -> str:
        """Of the keys in the bucket, without slashes around it."""
        return urlsplit(self.address).path.strip("/")


def state_of(project: MeltanoProject, settings: Settings, variables: Mapping[str, str]) -> State | None:
    """What the project says about its state; None: nothing, so that Penstock keeps it.

    Args:
        variables: win over the settings' own.
    """
    said = next(_said(project, settings, MELTANO_STATE, "state_backend.uri"), None)
    if said is not None:
        value, where, wins = said
        address = _filled(value, variables) if value is not None else None
        if address is None or "$" in address:
            return State("a secret", where, wins=wins)
        if address != _SYSTEM_DATABASE:
            scheme = urlsplit(address).scheme
            return State(_without_credentials(address), where, lost=scheme in ("file", ""), wins=wins)
    for value, where, _ in _said(project, settings, DATABASE, "database_uri"):
        kept = value is None or not _filled(value, variables).startswith("sqlite")
        return State(_SYSTEM_DATABASE, where, lost=not kept, wins=bool(said and said[2]))
    return State(_SYSTEM_DATABASE, said[1], lost=True, wins=said[2]) if said is not None else None


def check(settings: Settings, project: MeltanoProject) -> Iterator[Problem]:
    """State that would be lost, or that the image cannot reach."""
    state = state_of(project, settings, settings.variables)
    if state is None:
        return
    if state.lost and state.wins:
        what = f"Meltano would keep its state at {state.address}, in a container that is gone after the run"
        yield Problem(what, "remove it: Penstock keeps the state in its bucket", where=state.where)
    if settings.meltano is not None and settings.meltano.image is None and not state.lost:
        scheme = state.scheme
        if scheme not in ("s3", ""):
            extra = f"meltano[{_EXTRAS[scheme]}]" if scheme in _EXTRAS else f"the state backend of {scheme}://"
            yield Problem(
                f"the image that Penstock builds has Meltano's state backend for S3 only, and not {extra}",
                f"build an image with {extra} and name it in meltano.image, or keep the state in S3",
                where=state.where,
            )


def warning(state: State | None) -> Problem | None:
    """State that Penstock keeps though the project says otherwise."""
    if state is None or not state.lost or state.wins:
        return None
    what = (
        f"Penstock keeps the state in its own bucket: {state.address} is inside the container, which is gone after the "
        "run"
    )
    return Problem(what, "remove this, or name a bucket (s3://…)", where=state.where, is_error=False)


def lacking(state: State, project: MeltanoProject, permissions: Sequence[Permission], region: str) -> str | None:
    """The permissions that Meltano tasks lack for a bucket of the project's own, as YAML; None: they lack none."""
    if state.bucket is None or _has_keys(project):
        return None
    bucket = f"arn:{partition_of(region)}:s3:::{state.bucket}"
    below = f"{state.prefix}/" if state.prefix else ""
    needed: list[dict[str, object]] = []
    if not all(_allowed(permissions, action, f"{bucket}/{below}pipeline/state.json") for action in _OBJECTS):
        needed.append({"actions": list(_OBJECTS), "resources": [f"{bucket}/{below or 'state/'}*"]})
        if not below:
            # IAM takes a bucket's every object for a wildcard without a reason.
            needed[-1] |= {"resources": [f"{bucket}/*"], "reason": "Meltano keeps its state at the top of this bucket"}
    if not _allowed(permissions, "s3:ListBucket", bucket):
        needed.append({"actions": ["s3:ListBucket"], "resources": [bucket]})
    return ", ".join(map(_yaml, needed)) or None


def _said(
    project: MeltanoProject, settings: Settings, variable: str, key: str
) -> Iterator[tuple[str | None, str, bool]]:
    """(value, where, whether it wins over the process) from each place that says it, the first wins.

    The value is None where a secret holds it.
    """
    for document, node in project.top_env(variable):
        yield str(node.value), document.where(node), True
    if variable in settings.secrets:
        yield None, f"secrets: {variable}", False
    if variable in settings.variables:
        yield settings.variables[variable], f"variables: {variable}", True
    if (place := setting(project, key)) is not None:
        document, node = place
        references = set(names_in(str(node.value))) & settings.secrets.keys()
        yield None if references else str(node.value), document.where(node), False


def setting(project: MeltanoProject, key: str) -> tuple[Document, Node] | None:
    """A setting of Meltano's own in its files: `state_backend.uri`, nested or with its dot. The last file wins."""
    for document in reversed(project.documents):
        root = document.root.value
        first, _, rest = key.partition(".")
        nested = root.get(first)
        inner = nested.value.get(rest) if rest and nested is not None and isinstance(nested.value, dict) else None
        for node in (root.get(key), inner):
            if node is not None and node.value is not None and node.text is not None:
                return document, node
    return None


def _has_keys(project: MeltanoProject) -> bool:
    """Whether it signs in with keys of its own, and not with the task's role."""
    key = "state_backend.s3.aws_access_key_id"
    name = variable_of("meltano", key)
    nested = setting(project, key) is not None or any(True for _ in project.top_env(name))
    return nested or any("s3" in _keys(document.root.value.get("state_backend")) for document in project.documents)


def _keys(node: Node | None) -> set[str]:
    return {str(key) for key in node.value} if node is not None and isinstance(node.value, dict) else set()


def _allowed(permissions: Sequence[Permission], action: str, resource: str) -> bool:
    return any(
        any(fnmatchcase(action, pattern) for pattern in permission.actions)
        and any(fnmatchcase(resource, pattern) for pattern in permission.resources)
        for permission in permissions
    )


def _yaml(permission: dict[str, object]) -> str:
    parts = [f"{key}: {json.dumps(value)}" for key, value in permission.items()]
    return "{" + ", ".join(parts) + "}"


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return REFERENCE.sub(lambda match: variables.get(match["braced"] or match["bare"], match[0]), text)


def _without_credentials(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
