"""Paths in MWAA's containers that a requirements file names: whether the deploy puts something there.

pip runs in Airflow's folder, where plugins.zip is unpacked into one and the DAGs are copied into another (MWAA user
guide, "Managing Python dependencies in requirements.txt", with wheels in plugins.zip).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from penstock.aws.mwaa import AIRFLOW_FOLDER, PLUGINS_FOLDER
from penstock.problem import Problem
from penstock.project.document.problems import shown

DAGS_FOLDER = f"{AIRFLOW_FOLDER}dags"


def _nothing(path: str) -> bool:
    return False


@dataclass(frozen=True)
class Container:
    """What lies in MWAA's containers when pip runs there: plugins.zip is unpacked, the startup script has run."""

    plugins: frozenset[str] | None = frozenset()
    """Files of plugins.zip; None: it cannot be read."""
    has_script: bool = False
    """Whether there is a startup script: it may have put a file anywhere."""
    dags: str = ""
    """Folder below Airflow's DAG folder that the deploy puts the project's `dags/` into."""
    is_dag_file: Callable[[str], bool] = _nothing
    """Whether a path below the project's `dags/` is a file or folder that goes along."""


def problem(path: str, container: Container) -> Problem | None:
    """What is wrong with a path that pip is to open; None: something is there, or may be."""
    place = posixpath.normpath(posixpath.join(AIRFLOW_FOLDER, path))
    if "${" in path or (path.startswith("/") and container.has_script):
        return None
    file = posixpath.basename(place)
    into_plugins = f"put the file into airflow.create.plugins and write {PLUGINS_FOLDER}/{file[:100]}"
    if place == PLUGINS_FOLDER:
        return None
    if place.startswith(f"{PLUGINS_FOLDER}/"):
        return _of_plugins(path, place.removeprefix(f"{PLUGINS_FOLDER}/"), container.plugins)
    if not place.startswith(f"{DAGS_FOLDER}/"):
        what = f"{shown(path)} is a path of this machine: pip looks for it in MWAA's container, where it is not"
        return Problem(what, into_plugins)
    own = f"{DAGS_FOLDER}/{container.dags}/"
    if place.startswith(own) and container.is_dag_file(place.removeprefix(own)):
        return None
    below = place.removeprefix(own if place.startswith(own) else f"{DAGS_FOLDER}/")
    what = f"nothing of the deploy is at {shown(path)}: the project's dags/ goes to {own}"
    return Problem(what, f"{into_plugins}; or write {own}{below}" if container.is_dag_file(below) else into_plugins)


def _of_plugins(path: str, name: str, known: frozenset[str] | None) -> Problem | None:
    if known is None or name in known or any(entry.startswith(f"{name}/") for entry in known):
        return None
    fix = "put the file there, or correct the name" if known else "add plugins: a folder with the file"
    return Problem(f"{shown(path)} is to come from airflow.create.plugins, and is not in there", fix)
