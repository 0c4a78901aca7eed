"""The files of an MWAA environment: requirements, plugins, startup script. Read once, checked per environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from penstock.problem import Problem
from penstock.project.airflow import plugins, requirements, startup_script
from penstock.project.airflow.container_paths import Container
from penstock.project.airflow.mwaa import CreateAirflow
from penstock.project.airflow.options import HERE
from penstock.project.document.document import read_text
from penstock.project.document.files import relative_path_problem
from penstock.project.document.report import Report
from penstock.project.network.model import Network
from penstock_runtime.errors import InputError

Named = Callable[[str], str]
"""A path of the project file → the path as errors show it."""


@dataclass(frozen=True, eq=False)
class MwaaFiles:
    """What was read, by path as in the project file."""

    texts: dict[str, str] = field(default_factory=dict)
    """Requirements files and startup scripts."""
    archives: dict[str, bytes] = field(default_factory=dict)
    """plugins.zip of each `plugins`."""


def read(
    files: MwaaFiles, folder: Path, create: CreateAirflow, network: Network, report: Report, named: Named, dags: str
) -> None:
    """Read what one environment names, and report what is wrong with it.

    Args:
        files: what has been read so far; what is new is added.
        folder: of the project.
        dags: folder below Airflow's DAG folder that the deploy puts the project's `dags/` into.
    """
    reader = _Reader(files, folder, report, named)
    if create.plugins is not None:
        reader.archive(create.plugins)
    container = Container(
        _plugins(files, create.plugins),
        create.startup_script is not None,
        dags,
        lambda path: os.path.exists(folder / "dags" / path),  # noqa: PTH110  which raises for a long name
    )
    if create.requirements is not None:
        wanted = create.requirements
        text = reader.text(wanted.file, "requirements", "file")
        if text is not None:
            report.add_all(
                requirements.check(text, named(wanted.file), create.version, wanted.install_from, network, container)
            )
            if requirements.cut_off(text, wanted.install_from, network):
                # Amazon MWAA User Guide, "Managing Python dependencies".
                what = "pip reaches no package index from a network with `egress: endpoints`"
                fix = "put the wheels into airflow.create.plugins and write install_from: plugins, or name an index "
                fix += "within the VPC in the file: --index-url https://…"
                report.add(Problem(what, fix, (*HERE, "requirements")))
        if wanted.install_from == "plugins" and create.plugins is None:
            fix = "add plugins: a folder with the wheels, made by `pip download` on the environment's Python"
            report.add(Problem("requirements come from plugins, and there are none", fix, (*HERE, "requirements")))
    if create.startup_script is not None:
        text = reader.text(create.startup_script, "startup_script")
        if text is not None:
            report.add_all(startup_script.check(text, named(create.startup_script)))


def _plugins(files: MwaaFiles, path: str | None) -> frozenset[str] | None:
    if path is None:
        return frozenset()
    return plugins.names(files.archives[path]) if path in files.archives else None


class _Reader:
    def __init__(self, files: MwaaFiles, folder: Path, report: Report, named: Named) -> None:
        self._files, self._folder, self._report, self._named = files, folder, report, named

    def text(self, path: str, *key: str) -> str | None:
        """A text file; None: it could not be read, and that is reported."""
        if path not in self._files.texts:
            if not self._inside(path, *key):
                return None
            try:
                where = self._report.place(*HERE, *key)
                self._files.texts[path] = read_text(self._folder / path, self._named(path), where=where)
            except InputError as error:
                self._report.problems.take(error)
                return None
        return self._files.texts[path]

    def archive(self, path: str) -> None:
        if path in self._files.archives or not self._inside(path, "plugins"):
            return
        try:
            where = self._report.place(*HERE, "plugins")
            self._files.archives[path] = plugins.read(self._folder / path, self._named(path), where)
        except InputError as error:
            self._report.problems.take(error)

    def _inside(self, path: str, *key: str) -> bool:
        """Whether a path names a place of the project and not of this machine."""
        if problem := relative_path_problem(path):
            self._report.add(problem.at(*HERE, *key))
            return False
        return True
