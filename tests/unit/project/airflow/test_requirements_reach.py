"""Requirements in a network without internet: what brings the packages, and which addresses they may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.airflow import requirements
from penstock.project.network.model import Network
from penstock_runtime.plan.airflow import Airflow
from tests.unit.project_files import errors, loaded, write

CREATE = "version: 3.0.6, class: mw1.small"
REQUIREMENTS = ", requirements: {file: r.txt}"
OFFLINE = ", requirements: {file: r.txt, install_from: plugins}, plugins: wheels"
WHEEL = {"wheels/a-1-py3-none-any.whl": b"PK"}


@pytest.mark.parametrize(
    ("egress", "install_from", "text", "cut_off"),
    [
        ("nat", "index", "tabulate\n", False),
        ("endpoints", "index", "tabulate\n", True),
        ("endpoints", "index", "# mine\n--index-url https://packages.acme.example/simple\ntabulate\n", False),
        ("endpoints", "index", "--extra-index-url https://packages.acme.example/simple\ntabulate\n", True),
        ("endpoints", "plugins", "tabulate\n", False),
    ],
)
def test_packages_that_no_network_brings(egress: str, install_from: str, text: str, cut_off: bool) -> None:
    """Without a way out, only wheels, or an index within reach that stands in the place of the public one."""
    network = Network.model_validate({"create": {"egress": egress}})

    assert requirements.cut_off(text, install_from, network) is cut_off


NO_CATALOGUE = ("      - name: catalogue\n        openmetadata: {type: metadata, config: warehouse.yaml}\n", "")
SEALED = ("network: {create: {cidr: 10.20.0.0/16}}", "network: {create: {egress: endpoints, private_hosts: [a.io]}}")


def test_wheels_do_not_bring_what_a_line_fetches_from_elsewhere(tmp_path: Path) -> None:
    """pip's `--no-index` is about indexes."""
    text = "a==1\nx @ https://b.io/x.whl\n"
    path = write(tmp_path, SEALED, (CREATE, CREATE + OFFLINE), files={"r.txt": text, **WHEEL})

    assert [(where, what.partition(":")[0]) for where, what, _ in errors(path)] == [
        ("r.txt:2:1", "'b.io' is out of reach")
    ]


def test_requirements_without_internet_come_with_the_plugins(tmp_path: Path) -> None:
    """pip would try the index for minutes, and fail. One error with two ways out."""
    path = write(tmp_path, SEALED, (CREATE, CREATE + REQUIREMENTS), files={"r.txt": "tabulate\n"})
    ((where, what, fix),) = errors(path)

    assert where == "penstock.yaml:6:68"
    assert what.startswith("pip reaches no package index")
    assert "install_from: plugins" in fix
    assert "--index-url" in fix


PRIVATE = "--index-url https://packages.acme.internal/simple\n"


@pytest.mark.parametrize(
    "line",
    [
        "x @ https://files.acme.internal/x.whl",
        "x @ https://a.io/x.whl",
        "x @ https://${FILES}.acme.io/x.whl",
        "x==1  # see https://files.example.org/x.whl",
        "# x @ https://files.example.org/x.whl",
    ],
)
def test_packages_from_within_reach(tmp_path: Path, line: str) -> None:
    """By their host's name, because the project says so, from the container itself; an address in a comment is none."""
    text = f"{PRIVATE}{line}\n"
    project = loaded(tmp_path, SEALED, (CREATE, CREATE + REQUIREMENTS), NO_CATALOGUE, files={"r.txt": text})
    airflow = compile_plan(project).airflow

    assert isinstance(airflow, Airflow)
    assert airflow.requirements is not None
    assert airflow.requirements.text == text


@pytest.mark.parametrize("host", ["packages.acme.internal", "a.io"])
def test_private_index_works_without_internet(tmp_path: Path, host: str) -> None:
    """Nothing is named that is on the internet: MWAA then takes the constraints of its image."""
    text = f"--index-url https://{host}/simple\ntabulate\n"
    project = loaded(tmp_path, SEALED, (CREATE, CREATE + REQUIREMENTS), NO_CATALOGUE, files={"r.txt": text})
    airflow = compile_plan(project).airflow

    assert isinstance(airflow, Airflow)
    assert airflow.requirements is not None
    assert airflow.requirements.text == text


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("--index-url https://index.example.com/simple\n", "'index.example.com' is out of reach", "private_hosts"),
        ("-i https://a.io/x\n--extra-index-url=https://b.io/y\n", "'b.io' is out of reach", "private_hosts"),
        ("-i https://a.io/x\n# as in -c old.txt\n", "even a comment", "word it differently"),
        ("-i https://a.io/x\n--find-links https://b.io/wheels\n", "'b.io' is out of reach", "private_hosts"),
        (f"{PRIVATE}x @ https://files.example.org/x.whl\n", "'files.example.org' is out of reach", "private_hosts"),
        (f"{PRIVATE}x[a, b]@https://b.io/x.whl ; python_version > '3'\n", "'b.io' is out of reach", "egress: nat"),
        (f"{PRIVATE}https://b.io/x.whl\n", "'b.io' is out of reach", "private_hosts"),
        (f"{PRIVATE}x @ git+https://${{TOKEN}}@git.io/a/x.git@main\n", "'git.io' is out of reach", "private_hosts"),
        (f"{PRIVATE}git+ssh://git@git.io/a/x.git#egg=x\n", "'git.io' is out of reach", "private_hosts"),
    ],
)
def test_requirements_that_call_the_internet(tmp_path: Path, text: str, what: str, fix: str) -> None:
    """Each line at its place, where the network has no way there."""
    path = write(tmp_path, SEALED, (CREATE, CREATE + REQUIREMENTS), files={"r.txt": text})
    ((where, said, mend),) = errors(path)

    assert where == f"r.txt:{text.count(chr(10))}:1"
    assert what in said
    assert fix in mend
