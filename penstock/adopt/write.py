"""A live environment into the project file: `airflow.use` and `network.use`, and not a byte besides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from penstock.adopt.live import Live
from penstock.project.airflow.model import WAYS
from penstock.project.document.change import FileChange
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at, parse, read_text
from penstock.project.document.edit import put
from penstock_runtime.errors import InputError

_START = "name: acme\nenvironments: {dev: {region: eu-west-1}}"


@dataclass(frozen=True)
class Adoption(FileChange):
    """What adopting does to a project file."""

    airflow: dict[str, Any]
    network: dict[str, Any] | None
    """None: the subnets could not be read, and the network is left unchanged."""


def project_file(path: Path) -> Document:
    """The project file, read as YAML; it need not be a whole project yet.

    Raises:
        InputError: the file is missing, or not YAML, or not a mapping.
    """
    path = path / "penstock.yaml" if path.is_dir() else path
    if not path.exists():
        raise InputError(
            f"there is no {path} to write into",
            fix=f"go to the project's folder, name the file with --project, or start one with:\n{_START}",
            where=str(path),
        )
    document = parse(read_text(path, str(path)), str(path), text_keys=True)
    if not isinstance(document.root.value, dict):
        raise InputError(f"{path} is not a project", fix=f"start with:\n{_START}", where=str(path))
    return document


def region_of(document: Document, environment: str | None) -> str | None:
    """The region of an environment, or of the first where none is named; None: the file does not say."""
    declared = at(document.root, ("environments",)).value
    names = list(declared) if isinstance(declared, dict) else []
    if environment is not None and environment not in names:
        fix = f"use one of: {', '.join(names)}" if names else f"add environments: {{{environment}: {{region: …}}}}"
        raise InputError(f"there is no environment {environment[:60]!r}", fix=fix, where=document.name)
    node = _setting(document, environment, "region")
    return None if node is None else str(node.value)


def adoption(document: Document, live: Live, environment: str | None) -> Adoption:
    """What the project file becomes.

    Args:
        environment: write it for this one only; None: at the top level, for all that say nothing else.

    Raises:
        InputError: the project is for another account, or the file is written in a way that this cannot edit.
    """
    above = ("environments", environment) if environment is not None else ()
    node = _setting(document, environment, "account")
    if node is not None and node.value != live.account:
        what = f"the project deploys to account {node.value}, and {live.name} is in {live.account}"
        fix = "adopt it for an environment of that account: penstock --environment NAME adopt"
        raise InputError(what, fix=f"{fix} {live.name}", where=document.where(node))
    airflow: dict[str, Any] = {
        "environment": live.name,
        "version": live.version,
        "bucket": live.bucket,
        "dags": live.dags,
        "execution_role": live.execution_role,
        "security_groups": list(live.security_groups),
    }
    if live.kms_key is not None:
        airflow["kms_key"] = live.kms_key
    others = [way for way in WAYS if way != "use"]
    text = put(document, (*above, "airflow", "use"), airflow, without=others)
    network = None
    if live.subnets:
        network = {"vpc": live.subnets[0].vpc, "private_subnets": [subnet.id for subnet in live.subnets]}
        own = at(document.root, (*above, "network", "use", "security_groups"))
        if _text(document, (*above, "network", "use", "vpc")) == network["vpc"] and isinstance(own.value, list):
            # Somebody has chosen groups for the tasks, in this same VPC.
            network["security_groups"] = own.plain()
        edited = parse(text, document.name, text_keys=True)
        text = put(edited, (*above, "network", "use"), network, without=["create"])
    return Adoption(Path(document.name), document.text, text, airflow, network)


def _setting(document: Document, environment: str | None, key: str) -> Node | None:
    """What an environment, or the first where none is named, says of its place; else what the top level says.

    None: neither says anything; an environment's `null` takes back what the top level says.
    """
    declared = at(document.root, ("environments",)).value
    names = list(declared) if isinstance(declared, dict) else []
    chosen = environment if environment is not None else next(iter(names), None)
    for place in ((("environments", chosen),) if chosen is not None else ()) + ((),):
        node = _node(document, (*place, key))
        if node is not None:
            return node if isinstance(node.value, str) else None
    return None


def _text(document: Document, path: tuple[Any, ...]) -> str | None:
    node = _node(document, path)
    return node.value if node is not None and isinstance(node.value, str) else None


def _node(document: Document, path: tuple[Any, ...]) -> Node | None:
    node: Any = document.root
    for step in path:
        node = node.value.get(step) if isinstance(node.value, dict) else None
        if node is None:
            return None
    return cast("Node", node)
