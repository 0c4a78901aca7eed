"""Which paths of a project's tasks no container has: workflow files, commands and environment variables, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from penstock.problem import DocumentPath
from penstock.project.document import files
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at, find
from penstock.project.document.literals import references
from penstock.project.files import named
from penstock.project.files.named import Missing
from penstock.project.jobs.tasks import Task
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.rules.files import levels, places
from penstock.project.settings import Settings

SERVER = ("workflowConfig", "openMetadataServerConfig", "sslConfig", "caCertificate")
"""Keys of a workflow file: a path in the container, in whatever form the value comes."""
TEXT_KEYS = frozenset({"caCertificate", "sslCertificate", "sslKey"})
TAKES_TEXT = frozenset(
    {"mysql", "doris", "starrocks", "matillion", "postgres", "redshift", "greenplum", "salesforce", "qliksense"}
    | {"mongodb", "kafka", "cassandra", "hive", "mssql", "db2"}
)
"""Types of sources for which the package writes what stands under `TEXT_KEYS` into a file of its own: a path there
is never opened. Source: openmetadata-ingestion 1.12.14.2, metadata/utils/ssl_manager.py."""
_STOCK_PROGRAM = "main.py"
"""Lies in the working directory of OpenMetadata's image."""


class Search:
    """The search in one environment of a project. Touches the disk only to see whether a path is a file of it."""

    def __init__(
        self, folder: Path, document: Document, root: Node, settings: Settings, workflows: Mapping[str, Workflow]
    ) -> None:
        self._folder, self._document, self._root = folder, document, root
        self._settings, self._workflows = settings, workflows

    def run(self) -> Iterator[tuple[Missing, str]]:
        """What is missing, each with its `file:line:column`."""
        for name, job in self._settings.jobs.items():
            for index, task in enumerate(job.tasks):
                container = places.of_task(self._settings, task)
                if container.writable is None:
                    continue  # an image of the user's own
                given = {*levels.of_task(self._settings, name, index), named.SERVER_CERTIFICATE}
                here = ("jobs", name, "tasks", index)
                yield from self._variables(task, task.env, (*here, "env"), given, container)
                for number, schedule in enumerate(self._settings.schedules):
                    if schedule.job == name:
                        place = ("schedules", number, "env")
                        yield from self._variables(task, schedule.env, place, given, container)
                if task.openmetadata is not None and (read := self._workflows.get(task.openmetadata.config)):
                    yield from self._workflow(read, Path(task.openmetadata.config).parent, given, container)
                elif task.command is not None:
                    yield from self._command(task.command, (*here, "command"), given, container)

    def _workflow(
        self, workflow: Workflow, near: Path, given: set[str], container: places.Container
    ) -> Iterator[tuple[Missing, str]]:
        server = find(workflow.document.root, SERVER)
        if server is not None and (wrong := self._not_a_path(server)):
            yield wrong, workflow.document.where(server)
        kind = at(workflow.document.root, ("source", "type")).value
        takes_text = isinstance(kind, str) and kind.lower() in TAKES_TEXT
        for key, node in workflow.paths:
            if takes_text and key in TEXT_KEYS and node is not server:
                what = f"{key!r} names {node.value}, and a source of type {kind} takes the text there, not a path"
                fix = "put the text into a secret, and write ${NAME} of it here"
                yield Missing(what, fix, certain=False), workflow.document.where(node)
                continue
            missing = self._missing(key, node.value, given, container, self._folder / near)
            if missing is None:
                continue
            if node is server:
                fix = (
                    "did you mean openmetadata.ca_certificate? Set it in penstock.yaml to a file of the project, or to "
                )
                missing = Missing(missing.what, fix + "{secret: NAME}, and remove sslConfig here", missing.certain)
            yield missing, workflow.document.where(node)

    def _not_a_path(self, node: Node) -> Missing | None:
        """The text of a certificate, where OpenMetadata's package takes a path (1.12, metadata/utils/ssl_registry)."""
        value = node.value
        if not isinstance(value, str):
            return None
        text = "-----BEGIN" in value
        if text or (len(names := references(value)) == 1 and names[0] in self._settings.secrets):
            fix = "set openmetadata.ca_certificate in penstock.yaml to a file of the project, or to {secret: NAME}, "
            what = "'caCertificate' of the server takes the path of a file, and this is "
            what += "a certificate's text" if text else f"the value of secret {names[0]!r}"
            return Missing(what, fix + "and remove sslConfig here", certain=text)
        return None

    def _variables(
        self,
        task: Task,
        env: Mapping[str, str],
        place: DocumentPath,
        given: set[str],
        container: places.Container,
    ) -> Iterator[tuple[Missing, str]]:
        near = None
        if task.meltano is not None and self._settings.meltano is not None:
            near = self._folder / self._settings.meltano.project
        for name, value in env.items():
            if not named.is_path(name, value) or (near is not None and _holds(near, value)):
                continue
            missing = self._missing(name, value, given, container, None)
            if missing is not None:
                yield missing, self._document.where(at(self._root, (*place, name)))

    def _command(
        self, command: str | list[str], place: DocumentPath, given: set[str], container: places.Container
    ) -> Iterator[tuple[Missing, str]]:
        for word in named.in_command(command):
            if word != _STOCK_PROGRAM and ("/" in word or "." in word):
                missing = self._missing("command", word, given, container, None)
                if missing is not None:
                    yield missing, self._document.where(at(self._root, place))

    def _missing(
        self, key: str, value: str, given: set[str], container: places.Container, near: Path | None
    ) -> Missing | None:
        build = self._settings.images.openmetadata.build
        if build is not None and _holds(self._folder / build, value):
            return None  # A slim image holds this folder as its working directory.
        return named.missing(key, value, given, project=self._folder, image=container.what, near=near)


def _holds(folder: Path, value: str) -> bool:
    """Whether a relative path names something in a folder that an image holds as its working directory."""
    if value.startswith(("/", "~")):
        return False
    return files.is_file(folder / value) or files.is_folder(folder / value)
