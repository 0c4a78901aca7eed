"""OpenMetadata workflow files: read unchanged, checked, and completed from the project."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at
from penstock.project.document.literals import ALLOW, Path, literal_secret, no_reference, references, scalars
from penstock.project.files.named import SERVER_CERTIFICATE, is_path
from penstock.project.openmetadata.model import OpenMetadata
from penstock.versions.openmetadata import streams_logs
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.errors import InputError
from penstock_runtime.workflow_types import TYPE_OF_CONFIG, WORKFLOW_TYPES, same_class

MAX_NODES = 20_000
"""Values of a workflow file; ten thousand table patterns are fewer."""


@dataclass(frozen=True, eq=False)
class Workflow:
    """A workflow file. `data` is the user's; `names` are its `${NAME}`s, each with the first place."""

    document: Document
    data: dict[Any, Any]
    names: dict[str, Node]
    paths: tuple[tuple[str, Node], ...] = ()
    """Values that may be paths of files, each with its key."""


def literals(document: Document, *, skip: Callable[[Path], bool] | None = None) -> Iterator[Problem]:
    """Secrets that stand in the file in plain text; `skip`: keys below which others look, or only names stand."""
    for key, node in scalars(document.root, skip=skip):
        what = literal_secret(key, node.value)
        if what and ALLOW not in document.line(node):
            yield Problem(
                what,
                f"put it into a secret and write ${{NAME}} here, or end the line with `{ALLOW}`",
                where=document.where(node),
            )


def read(document: Document) -> Workflow:
    """Take a file for a workflow.

    Raises:
        InputError: it is not a mapping.
    """
    if not isinstance(document.root.value, dict):
        kind = "a list" if isinstance(document.root.value, list) else "a single value"
        raise InputError(
            f"{document.name} holds {kind}, not a mapping",
            fix="write an OpenMetadata workflow: source, sink, workflowConfig",
            where=document.where(document.root),
        )
    names: dict[str, Node] = {}
    paths = []
    for key, node in scalars(document.root):
        if is_path(key, node.value):
            paths.append((key, node))
        if isinstance(node.value, str) and "${" in node.value:
            for name in references(node.value):
                names.setdefault(name, node)
    return Workflow(document, document.root.plain(), names, tuple(paths))


def text_problems(document: Document) -> Iterator[Problem]:
    """What is wrong with a file's texts, whatever its task: secrets in them, and references that nothing fills."""
    yield from literals(document)
    for _, node in scalars(document.root):
        if isinstance(node.value, str) and "${" in node.value:
            unknown = no_reference(node.value)
            if unknown is not None and ALLOW not in document.line(node):
                yield Problem(
                    f"nothing fills {unknown}: a name has letters, digits and _ only",
                    f"write ${{NAME}} of a secret or variable, or end the line with `{ALLOW}` to keep it unchanged",
                    where=document.where(node),
                )


def check(workflow: Workflow, workflow_type: str) -> Iterator[Problem]:
    """What is wrong with a workflow as one of type `workflow_type`."""
    document, root = workflow.document, workflow.document.root
    if WORKFLOW_TYPES[workflow_type].needs_source:
        source = root.value.get("source")
        if source is None or not isinstance(source.value, dict):
            yield Problem(
                f"{document.name} has no `source` mapping",
                "add source: {type: …, serviceName: …}",
                where=document.where(source or root),
            )
            return
        wanted = ["type", "serviceName"] if WORKFLOW_TYPES[workflow_type].needs_service else ["type"]
        for key in wanted:
            value = source.value.get(key)
            if value is None or not isinstance(value.value, str) or not value.value:
                yield Problem(
                    f"source.{key} is missing, or is not text",
                    f"add `{key}: …` to source",
                    where=document.where(value or source),
                )
    kind = at(root, ("source", "sourceConfig", "config", "type"))
    needed = TYPE_OF_CONFIG.get(kind.value) if isinstance(kind.value, str) else None
    if needed and not same_class(needed, workflow_type):
        row = WORKFLOW_TYPES[needed]
        yield Problem(
            f"config type {kind.value} runs as workflow type {needed}, and its task says {workflow_type}",
            f"set type: {needed} in the task, or name another file" if row.module else row.instead,
            where=document.where(kind),
        )
    # What will be filled in must be mappings where it is there at all.
    for last in ("securityConfig", "sslConfig"):
        yield from _check_mappings(workflow, ("workflowConfig", "openMetadataServerConfig", last))


def _check_mappings(workflow: Workflow, keys: tuple[str, ...]) -> Iterator[Problem]:
    node = workflow.document.root
    for key in keys:
        child = node.value.get(key)
        if child is None or child.value is None:
            return
        if not isinstance(child.value, dict):
            yield Problem(f"{key} is not a mapping", "indent its keys below it", where=workflow.document.where(child))
            return
        node = child


def completed(written: dict[Any, Any], settings: OpenMetadata, *, server: str | None, pipeline: str) -> dict[Any, Any]:
    """A workflow with what it leaves out: the server, how to sign in, the pipeline that reports its status, and that
    its log goes to the server, where the version can.

    `server` None leaves the address to the run. `pipeline` is the last part of `ingestionPipelineFQN`, which makes a
    run show up in the server's UI; it belongs to a service, so a workflow without `serviceName` gets none.
    """
    data = copy.deepcopy(written)
    target = completed_server(data, settings, server=server)
    source = data["source"] if isinstance(data.get("source"), dict) else {}
    if source.get("serviceConnection") is not None:
        # OpenMetadata's default sends the connection, password included, to the server; see docs/adr/0003.
        target.setdefault("storeServiceConnection", False)
    service = source.get("serviceName")
    if isinstance(service, str) and service and not data.get("ingestionPipelineFQN"):
        data["ingestionPipelineFQN"] = f"{_name_part(service)}.{_name_part(pipeline)}"
    if data.get("ingestionPipelineFQN") and streams_logs(settings.version):
        data.setdefault("enableStreamableLogs", True)
    return data


def completed_server(data: dict[Any, Any], settings: OpenMetadata, *, server: str | None) -> dict[Any, Any]:
    """Fill in the server, how to sign in to it and its certificate; returns the mapping that they are in."""
    config = _child(data, "workflowConfig")
    target = _child(config, "openMetadataServerConfig")
    elsewhere = bool(target.get("hostPort"))
    target.setdefault("hostPort", server if server is not None else f"${{{SERVER_VARIABLE}}}")
    if settings.auth is not None:
        target.setdefault("authProvider", "openmetadata")
        # The package signs in by the bot's token alone, whatever signs people in (1.6 to 2.0: `securityConfig` has no
        # other key), so another provider of the project's server gets it, too. What the file says stays.
        if target["authProvider"] == "openmetadata" or not (elsewhere or target.get("securityConfig")):
            _child(target, "securityConfig").setdefault("jwtToken", settings.auth.jwt_token)
    if settings.ca_certificate is not None and target.setdefault("verifySSL", "validate") == "validate":
        # A path: the package hands it to its HTTP client (metadata.utils.ssl_registry of 1.12).
        _child(target, "sslConfig").setdefault("caCertificate", SERVER_CERTIFICATE)
    return target


def is_certified(data: Mapping[Any, Any]) -> bool:
    """Whether a completed workflow checks the server against `openmetadata.ca_certificate`."""
    server = data["workflowConfig"]["openMetadataServerConfig"]
    return (server.get("sslConfig") or {}).get("caCertificate") == SERVER_CERTIFICATE


def _name_part(name: str) -> str:
    """A name as a part of a fully qualified one: in quotation marks where it holds a dot, and only there.

    As OpenMetadata's `quote_name` has it (ingestion package 1.12, `metadata/utils/fqn.py`); what splits such a name
    stumbles over marks around one without a dot. It takes the last part for the pipeline's name.
    """
    plain = name[1:-1] if len(name) > 2 and name[0] == name[-1] == '"' else name
    return f'"{plain}"' if "." in plain else plain


def _child(data: dict[Any, Any], key: str) -> dict[Any, Any]:
    if data.get(key) is None:
        data[key] = {}
    child: dict[Any, Any] = data[key]
    return child


_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc]
    """Writes every value out: an anchor's name would say nothing to the reader."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text(data: dict[Any, Any]) -> str:
    """The YAML of a workflow: keys as the user ordered them, the same bytes for the same data."""
    dumped: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
    return dumped
