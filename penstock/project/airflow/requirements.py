"""requirements.txt for MWAA: the user's file, checked, with the line in front that MWAA needs.

What MWAA does with the file: it looks for `-c ` or `--constraint ` in any line, comments included, and where there is
none it adds the constraints of its own image; then pip has nine minutes. Source: aws/amazon-mwaa-docker-images,
`mwaa/utils/user_requirements.py`; MWAA user guide, "Managing Python dependencies in requirements.txt".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from penstock.aws.mwaa import PLUGINS_FOLDER
from penstock.problem import Problem
from penstock.project.airflow import container_paths, packages, pip_lines
from penstock.project.airflow.container_paths import Container
from penstock.project.airflow.pins import Pins
from penstock.project.airflow.pip_lines import PipLine
from penstock.project.document.problems import shown
from penstock.project.network.hosts import is_sealed, out_of_reach, unreachable_problem
from penstock.project.network.model import Network
from penstock.versions import airflow

_MWAA_SEES_CONSTRAINTS = re.compile(r"-c |--constraint ")
_CONSTRAINT = re.compile(r"(?:-c|--constraint)(?:\s+|=)[\"']?(?P<target>[^\s\"']+)")
_FILES = re.compile(r"-r|-e|--requirement\b|--editable\b")
_LINKS = re.compile(r"(?:-f|--find-links)(?:\s+|=)[\"']?(?P<target>[^\s\"']+)")
_INDEX = re.compile(r"(?:-i|--index-url|--extra-index-url|--no-index|-f|--find-links)\b")
_OWN_INDEX = re.compile(r"(?:-i|--index-url)[\s=]")
_ADDRESS = re.compile(
    r"(?:(?:-i|--index-url|--extra-index-url|-f|--find-links)(?:\s+|=)[\"']?"
    r"|[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^]]*\])?\s*@\s*)?"
    r"(?P<target>(?:[a-z]+\+)?[a-z]+://[^\s\"']+)"
)
"""A line that pip fetches something for from where it says: an index, a page of links, `name @ address`, an address
alone, a repository (pip documentation, "Requirements File Format" and "VCS Support")."""
# Who signs in by ssh shows a name and a key, and the name is not a secret.
_LOGIN = re.compile(r"(?<!ssh)://[^/\s@$]+@|://[^/\s:@]*:[^/\s@$]+@")


def constraints(airflow_version: str) -> str:
    """The address of the constraints of one Airflow on MWAA's Python."""
    python = airflow.airflow_python(airflow_version)
    return airflow.CONSTRAINTS.format(airflow=airflow_version, python=python)


def generate(text: str, airflow_version: str, install_from: str, *, sealed: bool = False) -> str:
    """The file for MWAA. It depends on nothing but the user's lines, the Airflow and where packages come from.

    Args:
        text: the user's file; its lines and comments stay unchanged.
        install_from: `index`, or `plugins` for wheels in plugins.zip only. Then no constraints are named: MWAA applies
            those of its image, which needs no network.
        sealed: there is no way to the internet, where Airflow's constraints are; the same holds then.
    """
    lines = [line for line in _lines(text) if _target(line) != constraints(airflow_version)]
    if install_from == "plugins":
        head = [f"--find-links {PLUGINS_FOLDER}", "--no-index"]
    elif sealed or any(_target(line) for line in lines):
        head = []
    else:
        head = [f'--constraint "{constraints(airflow_version)}"']
    return "\n".join([*head, *lines]) + "\n"


def cut_off(text: str, install_from: str, network: Network) -> bool:
    """Whether packages cannot be fetched: there is no way to the internet, and the file names no other index."""
    own_index = any(_OWN_INDEX.match(line.strip()) for line in _lines(text))
    return is_sealed(network) and install_from == "index" and not own_index


def check(
    text: str,
    name: str,
    airflow_version: str,
    install_from: str,
    network: Network,
    container: Container,
) -> Iterator[Problem]:
    """The lines that MWAA cannot use.

    Args:
        name: the file, as errors show it.
        network: that the environment is in.
        container: what lies there when pip runs.
    """
    sealed = is_sealed(network)
    for number, raw in enumerate(_lines(text), 1):
        if (install_from == "plugins" or sealed) and _MWAA_SEES_CONSTRAINTS.search(raw) and not _target(raw):
            what = "MWAA takes a line with '-c ' or '--constraint ' for one that sets constraints, even a comment"
            fix = "word it differently; otherwise MWAA installs without its own constraints"
            yield Problem(what, fix, where=f"{name}:{number}:{len(raw) - len(raw.lstrip()) + 1}")
    own = any(target not in (None, constraints(airflow_version)) for target in map(_target, _lines(text)))
    pins = Pins(airflow_version, has_own_constraints=own and install_from == "index")
    for line in pip_lines.read(text):
        problem = _problem(line, install_from, container, pins)
        if problem is None and (named := _ADDRESS.match(line.text)) is not None:
            host = out_of_reach(named["target"], network)
            # One that is filled in the container is not known here.
            problem = unreachable_problem(host) if host and "${" not in host else None
        if problem is not None:
            yield replace(problem, where=f"{name}:{line.number}:{line.column}")


def _problem(line: PipLine, install_from: str, container: Container, pins: Pins) -> Problem | None:
    """What is wrong with one line, and its fix."""
    offline = install_from == "plugins"
    if target := _target(line.text):
        return _constraint_problem(target, pins.airflow_version, container, offline)
    if _FILES.match(line.text):
        return Problem("MWAA gets this one file, and nothing that it names", "write the packages out here")
    if offline and _INDEX.match(line.text):
        return Problem("with install_from: plugins, Penstock says where packages come from", "remove the line")
    if (links := _LINKS.match(line.text)) is not None and "://" not in links["target"]:
        return container_paths.problem(links["target"], container)
    if _LOGIN.search(line.text):
        what = "an address with a password or token in it: whoever reads the DAG bucket reads it"
        return Problem(what, "write ${NAME} for it, and export NAME in startup_script from a secret")
    if not line.package or line.is_filled:
        return None
    return packages.problem(line.package, line.number, container, pins)


def _constraint_problem(target: str, airflow_version: str, container: Container, offline: bool) -> Problem | None:
    """The user's own constraints may be the right ones, or a file in the container."""
    if "://" not in target:
        return container_paths.problem(target, container)
    if offline:
        return Problem("with install_from: plugins nothing is fetched, constraints neither", "remove the line")
    if target != constraints(airflow_version):
        what = f"other constraints than those of Airflow {airflow_version}: {shown(target)}"
        return Problem(
            what, f"remove it: Penstock writes the line; or name a file of airflow.create.plugins: {PLUGINS_FOLDER}/…"
        )
    return None


def _target(line: str) -> str | None:
    """What a line that sets constraints names."""
    match = _CONSTRAINT.match(line.strip())
    return match["target"] if match else None


def _lines(text: str) -> list[str]:
    return text.splitlines()
