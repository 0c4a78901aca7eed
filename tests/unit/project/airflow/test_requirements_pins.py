"""Versions that pip cannot have on the environment's Airflow, and files that never get to where pip looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.project.airflow.pins import OLDEST_AMAZON
from penstock.versions import airflow_constraints
from penstock.versions.airflow import AIRFLOW
from tests.unit.project_files import errors, loaded, write

CREATE = "version: 3.0.6, class: mw1.small"
WANTED = "version: 2.10.3, class: mw1.small, requirements: {file: r.txt}"
DAGS, PLUGINS = "/usr/local/airflow/dags", "/usr/local/airflow/plugins"
OWN = f"-c {PLUGINS}/c.txt\n"
PLUGIN_FILES = {"p/c.txt": "x==1\n", "p/wheels/a-1-py3-none-any.whl": b"PK"}
AMAZON = "apache-airflow-providers-amazon"


def found(folder: Path, text: str, *, files: dict[str, str | bytes] | None = None) -> list[tuple[str, str, str]]:
    """The errors of a requirements file, for an environment whose plugins are in `p/`."""
    edit = (CREATE, f"{WANTED}, plugins: p")
    one = ("  prod: {region: eu-central-1, variables: {HOST: prod.acme.internal}}\n", "")
    return errors(write(folder, edit, one, files={**PLUGIN_FILES, "r.txt": text, **(files or {})}))


def test_pins_against_the_constraints_and_each_other(tmp_path: Path) -> None:
    """Each at its line; pip would say ResolutionImpossible for any of them, and install none of the file."""
    text = f"{AMAZON}==8.10.0\nboto3==1.28.0\nboto3==1.35.36\ntabulate==0.9.0\n"
    (provider, held, twice) = found(tmp_path, text)

    assert provider == (
        "r.txt:1:1",
        f"the constraints of Airflow 2.10.3 hold {AMAZON} at 9.0.0, and this asks for '==8.10.0': pip installs nothing "
        "of the file",
        f"write {AMAZON}==9.0.0, or leave the version out; for another, name constraints of your own: "
        "see docs/deploy.md",
    )
    assert held[0] == "r.txt:2:1"
    assert "hold boto3 at 1.35.36" in held[1]
    assert twice == (
        "r.txt:3:1",
        "boto3 is on line 2 with '==1.28.0': pip cannot have both, and installs nothing of the file",
        "keep one of the two lines",
    )


BAD = {
    # name: (text, place, part of what, part of fix)
    "a range above": ("pandas>=2.2", "1:1", "hold pandas at 2.1.4", "write pandas==2.1.4, or leave"),
    "another spelling": ("\nApache_Airflow.Providers-Common_SQL < 1.19", "2:1", "-common-sql at 1.19.0", "==1.19.0"),
    "MWAA's own, with other constraints": (f"{OWN}celery==5.3.0", "2:1", "MWAA holds celery at 5.4.0", "celery==5.4.0"),
    "too old for the operator": (f"{OWN}{AMAZON}==8.20.0", "2:1", f"needs {AMAZON} {OLDEST_AMAZON} or", "a later one"),
    "older than the operator's": (f"{OWN}{AMAZON}<8.24", "2:1", "operator needs", "leave the line out"),
    "twice, none in the constraints": ("acme==1\nacme>=2", "2:1", "acme is on line 1 with '==1'", "keep one"),
    "twice, with other constraints": (f"{OWN}boto3==1\nboto3==2", "3:1", "boto3 is on line 2", "keep one"),
    "constraints that nobody brings": (
        f'--constraint "{DAGS}/c.txt"', "1:1", f"the project's dags/ goes to {DAGS}/acme-dev/", f"write {PLUGINS}/c.txt"
    ),
    "constraints that are not in dags/": (
        f"-c {DAGS}/acme-dev/c.txt", "1:1", "nothing of the deploy is at", f"write {PLUGINS}/c.txt"
    ),
    "constraints that are not in plugins": (f"-c {PLUGINS}/d.txt", "1:1", "and is not in there", "put the file there"),
    "constraints of this machine": ("-c constraints.txt", "1:1", "a path of this machine", f"write {PLUGINS}/constr"),
    "a folder of wheels": (f"--find-links {PLUGINS}/other", "1:1", "and is not in there", "put the file there"),
    "a wheel beside the DAGs": (f"{DAGS}/a-1-py3-none-any.whl", "1:1", "nothing of the deploy", f"{PLUGINS}/a-1-py3"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "what", "fix"), BAD.values(), ids=BAD)
def test_line_that_cannot_be_met_is_an_error(tmp_path: Path, text: str, place: str, what: str, fix: str) -> None:
    """With its line; the fix is one that works."""
    ((where, said, advice),) = found(tmp_path, text)

    assert where == f"r.txt:{place}"
    assert what in said
    assert fix in advice


GOOD = {
    "the version of the constraints": "boto3==1.35.36\npandas>=2,<3\nboto3\nboto3[crt]>=1.35",
    "no version": "boto3\npandas",
    "what the constraints do not have": "acme==1.0\nacme>=1\nacme",
    "on another Python": "boto3==1.28.0; python_version < '3.10'",
    "constraints of one's own": f"{OWN}boto3==1.28.0\npandas==2.2.3\n{AMAZON}==9.2.0\ncelery==5.4.0",
    "an address": "boto3 @ https://acme.io/boto3.whl",
    "constraints in dags/": f"-c {DAGS}/acme-dev/sub/c.txt\npandas==2.2.3",
    "a folder of wheels": f"--find-links {PLUGINS}/wheels\n-f {PLUGINS}\n-f ./plugins/wheels\nacme==1",
    "a name that pip fills": "-c ${AIRFLOW_CONSTRAINTS_FILE}",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_pip_can_meet_goes_through(tmp_path: Path, text: str) -> None:
    """No constraint holds it, or it is held at that very version."""
    edit = (CREATE, f"{WANTED}, plugins: p")
    one = ("  prod: {region: eu-central-1, variables: {HOST: prod.acme.internal}}\n", "")
    loaded(tmp_path, edit, one, files={**PLUGIN_FILES, "dags/sub/c.txt": "pandas==2.2.3\n", "r.txt": text})


def test_the_fix_names_the_place_in_the_dag_folder(tmp_path: Path) -> None:
    """Where the file is in `dags/`, one word of the path is missing: that of the project's own folder there."""
    ((_, _, fix),) = found(tmp_path, f"-c {DAGS}/c.txt", files={"dags/c.txt": "x==1\n"})

    assert fix.endswith(f"; or write {DAGS}/acme-dev/c.txt")


def test_a_startup_script_may_bring_the_file(tmp_path: Path) -> None:
    """It runs before pip does."""
    edit = (CREATE, f"{WANTED}, startup_script: s.sh")
    loaded(tmp_path, edit, files={"r.txt": "-c /usr/local/airflow/dags/c.txt\nx\n", "s.sh": "true\n"})


@pytest.mark.parametrize("version", AIRFLOW)
def test_tables_of_constraints_and_of_versions_agree(version: str) -> None:
    """They come from the same files: amazon provider and boto3 of the one are those of the other."""
    pins = airflow_constraints.pins(version)

    assert pins[AMAZON] == AIRFLOW[version].amazon_provider
    assert pins["boto3"] == AIRFLOW[version].boto3
    assert "celery" in airflow_constraints.essential(version)
    assert airflow_constraints.pins("9.9.9") == {}
