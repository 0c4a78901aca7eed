"""A workflow file, checked and completed, and the environment that its container gets."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.local.one_file.target import Target
from penstock.local.secrets import PREFIX
from penstock.problem import Problem
from penstock.project.document.document import read_document
from penstock.project.document.problems import Problems, nearest
from penstock.project.document.report import Report
from penstock.project.files.named import SERVER_CERTIFICATE
from penstock.project.loaded import Project
from penstock.project.openmetadata import workflow, workflow_class
from penstock.project.openmetadata.content import check as content_check
from penstock.project.openmetadata.content.source import workflow_type_of
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.shapes.check import ShapeCheck
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.rules.files.levels import Given
from penstock.project.rules.references import in_workflow
from penstock_runtime import contract
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.errors import InputError
from penstock_runtime.fill import names


@dataclass(frozen=True)
class Checked:
    """A file without errors."""

    workflow: Workflow
    workflow_type: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """What to start: the completed file and the container's environment, but for where its files lie."""

    text: str
    environ: dict[str, str]
    files: dict[str, Given]


def check(file: Path, target: Target, workflow_type: str | None, shapes: shape_file.Source) -> Checked:
    """Read a file, and check it as `validate` does.

    Args:
        workflow_type: wins over what the project or the file says.

    Raises:
        InputError, InputErrors: what is wrong with it.
    """
    document = read_document(file, str(file), max_nodes=workflow.MAX_NODES)
    read, problems = workflow.read(document), Problems()
    kind = workflow_type or target.workflow_type or workflow_type_of(read)
    if kind is None:
        raise InputError(
            f"{file} does not say what it is: its source.sourceConfig.config has no type",
            fix="name the workflow type: penstock run FILE --type metadata",
            where=document.where(document.root),
        )
    if problem := workflow_class.check_type(kind, target.openmetadata):
        raise problem.error()
    report, shape_check = Report(document, problems), ShapeCheck(shapes)
    found = [*workflow.text_problems(document), *workflow.check(read, kind), *workflow_class.check_source(read, kind)]
    found += content_check.check(read, kind, target.openmetadata, target.variables)
    found += in_workflow(read, target.settings) if target.settings is not None else []
    report.add_all(found)
    shape_check.check(read, kind, target.openmetadata, problems)
    problems.raise_all()
    warned = [f"{where}: {text}" for text, where in report.warnings(found)]
    return Checked(read, kind, (*warned, *map(str, shape_check.notes)))


def place(checked: Checked, target: Target, environ: Mapping[str, str], embedded: Mapping[str, str]) -> Order:
    """Complete a file, and find a value for each name in it.

    A value is taken from the shell's environment (`NAME`, then `PENSTOCK_SECRET_NAME`), from the embedded system that
    is up (`embedded`), and from the project's variables, in this order.

    Raises:
        InputErrors: a name has no value; each with its place.
    """
    values = {**target.variables, **embedded}
    shell = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)} | {
        **environ
    }
    server = None if SERVER_VARIABLE in values or SERVER_VARIABLE in environ else target.openmetadata.server
    pipeline = f"{target.prefix}-{target.job}-{target.task}"
    data = workflow.completed(checked.workflow.data, target.openmetadata, server=server, pipeline=pipeline)
    files = dict(target.files)
    if target.certificate is not None and workflow.is_certified(data):
        files[SERVER_CERTIFICATE] = target.certificate
    of_files = {given.file.secret for given in files.values() if given.file.secret is not None}
    needed = [*dict.fromkeys(names(data)), *target.secrets, *of_files]
    problems = Problems()
    problems.add_all(_missing(checked.workflow, target, [name for name in needed if name not in {**values, **shell}]))
    problems.raise_all()
    found = {name: shell.get(name, values.get(name, "")) for name in needed}
    text = workflow.text(data)
    return Order(
        text,
        {
            **target.env,
            **found,
            contract.ENGINE: "openmetadata",
            contract.CONFIG_SHA256: hashlib.sha256(text.encode()).hexdigest(),
            contract.WORKFLOW_TYPE: checked.workflow_type,
            contract.TIMEOUT_SECONDS: str(target.timeout_minutes * 60),
            contract.NAMES: json.dumps(sorted(found)),
            # What the shell gives may be secret, whatever the project calls it.
            contract.SECRET_NAMES: json.dumps(sorted(found.keys() - target.variables.keys() - {SERVER_VARIABLE})),
            contract.RUN: json.dumps(_run(target)),
        },
        files,
    )


def _missing(read: Workflow, target: Target, missing: list[str]) -> Iterator[Problem]:
    for name in missing:
        node = read.names.get(name) or read.document.root
        if name == SERVER_VARIABLE:
            what = "there is no server: the file names none in openMetadataServerConfig.hostPort, nor does a project"
            fix = f"add hostPort: https://<host>/api, or set {SERVER_VARIABLE}=https://<host>/api"
        elif target.settings is not None and name not in target.secret_names:
            what = f"${{{name[:60]}}} is neither a secret nor a variable of the project, nor is it set here"
            known = {*target.secret_names, *target.variables}
            fix = f"{nearest(name, known, kind='name')}, or set {name}=… before penstock run"
        else:
            what, fix = f"${{{name[:60]}}} has no value here", f"set {name}=… in the environment of penstock run"
        yield Problem(what, fix, where=read.document.where(node))


def _run(target: Target) -> dict[str, str | int]:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}+00:00"
    return {
        "project": target.project,
        "environment": target.environment,
        "schedule": "run",
        "job": target.job,
        "task": target.task,
        "dag_run": f"here__{moment}",
        "try": 1,
    }


def lay_out(order: Order, project: Project | None, folder: Path) -> dict[str, str]:
    """Write the config and the project's files into a folder; the container's whole environment."""
    config = folder / "config.yaml"
    config.write_text(order.text)
    environ = {**order.environ, contract.CONFIG_URI: config.as_uri(), contract.ROOT: str(folder / "root")}
    entries: dict[str, dict[str, str | bool]] = {}
    store = folder / contract.FILES_PREFIX
    store.mkdir()
    for path, given in order.files.items():
        file, entry = given.file, entries.setdefault(path, {"mode": given.file.mode_or_default})
        if file.secret is not None:
            entry |= {"secret": file.secret, **({"base64": True} if file.base64 else {})}
        elif file.file is not None and project is not None:
            content = project.files[file.file]
            shutil.copyfile(project.folder / file.file, store / content.sha256)
            entry["sha256"] = content.sha256
    if entries:
        environ |= {contract.FILES: json.dumps(entries), contract.FILES_URI: store.as_uri()}
    return environ
