"""The lines of a requirements file: what pip reads goes through, what it cannot read is said at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.project.airflow.pip_lines import PipLine, read
from tests.unit.project_files import errors, loaded, write

CREATE = "version: 3.0.6, class: mw1.small"
WANTED = f"{CREATE}, requirements: {{file: r.txt}}"
HASH = f"--hash=sha256:{'a' * 64}"
PLUGINS = "/usr/local/airflow/plugins"
FILES = {"p/a-1-py3-none-any.whl": b"PK", "p/b/setup.py": b"", "p/b/constraints.txt": b"", "start.sh": b"true\n"}

GOOD = {
    "a name": "tabulate",
    "versions": "pandas>=2,<3,!=2.2.*",
    "extras and spaces": "  pandas [aws , gcp] ~= 2.1",
    "versions in parentheses": "pandas (>=2.0)",
    "versions of an older pip": "pandas>=1.0.*, <2-dev",
    "a comment": "# tabulate ==",
    "a comment behind it": "tabulate  # not a == requirement !!",
    "a marker": 'tabulate==0.9; python_version >= "3.11" and sys_platform != "win32"',
    "a hash": f"tabulate==0.9 {HASH} {HASH}",
    "hashes on lines of their own": f"tabulate==0.9 \\\n    {HASH} \\\n    {HASH}",
    "a version on a line of its own": "tabulate\\\n==0.9",
    "a comment that ends a continued line": "tabulate==0.9 \\\n# no more",
    "a backslash at the end": "tabulate==0.9 \\",
    "settings of its build": 'tabulate==0.9 --config-settings="--build-option=-j 4"',
    "an index": "--index-url https://acme.example/simple\n--extra-index-url=https://b.example/simple\ntabulate",
    "links": "--find-links https://acme.example/wheels\n-f /usr/local/airflow/plugins",
    "switches": "--no-index\n--prefer-binary\n--pre\n--require-hashes\n--no-binary :all:\n--trusted-host acme.example",
    "constraints of one's own": f"-c {PLUGINS}/b/constraints.txt\ntabulate",
    "an address": "https://acme.example/tabulate-0.9-py3-none-any.whl",
    "an address of a name": f"tabulate @ https://acme.example/tabulate-0.9.whl ; python_version > '3' {HASH}",
    "an address without a space": "tabulate@https://acme.example/tabulate-0.9.whl",
    "a repository": "git+https://acme.example/tabulate.git@v0.9#egg=tabulate",
    "a repository of a name": "tabulate @ git+ssh://git@acme.example/tabulate.git@v0.9",
    "variables that pip fills": "tabulate==${TABULATE}\n${MORE}",
    "this Airflow": "apache-airflow==3.0.6",
    "this Airflow, among others": "apache-airflow[celery]>=3,<3.1",
    "this Airflow, as its own package": "apache_airflow.core~=3.0.0",
    "another Airflow on another Python": 'apache-airflow==2.10.3; python_version < "3.12"',
    "a provider": "apache-airflow-providers-snowflake==6.4.0",
    "a wheel of the plugins": f"{PLUGINS}/a-1-py3-none-any.whl",
    "a wheel of the plugins, with extras": f"{PLUGINS}/a-1-py3-none-any.whl[x]; python_version > '3'",
    "a wheel from where pip runs": "./plugins/a-1-py3-none-any.whl",
    "a wheel by its address": f"file://{PLUGINS}/a-1-py3-none-any.whl",
    "a wheel by name and address": f"a @ file://{PLUGINS}/a-1-py3-none-any.whl",
    "a folder of the plugins": f"{PLUGINS}/b",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_pip_reads_goes_through(tmp_path: Path, text: str, end: str) -> None:
    """Its options, comments and continued lines included; they stay unchanged."""
    content = text.replace("\n", end) + end
    project = loaded(tmp_path, (CREATE, f"{WANTED}, plugins: p"), files={**FILES, "r.txt": content})

    assert project.mwaa_files.texts["r.txt"] == content


BAD = {
    # name: (text, place, part of what, part of fix)
    "no requirement": ("this is not a requirement !!", "1:1", "pip cannot read 'this is not a requirement !!'", "=="),
    "no version": ("tabulate\n pandas==", "2:2", "pip cannot read 'pandas=='", "pandas==2.2.3"),
    "one equals sign": ("pandas=2.0", "1:1", "pip cannot read 'pandas=2.0'", "pandas==2.2.3"),
    "an open bracket": ("pandas[aws==2", "1:1", "pip cannot read", "=="),
    "no marker": ("pandas==2; python_versoin > '3'", "1:1", "pip cannot read", "=="),
    "two on a line": ("pandas numpy", "1:1", "pip cannot read 'pandas numpy'", "=="),
    "continued": (f"\n\npandas== \\\n  {HASH}\ntabulate", "3:1", "pip cannot read 'pandas=='", "=="),
    "a later Airflow": ("apache-airflow>=3.1", "1:1", "Airflow 3.0.6, and this asks for '>=3.1'", "remove"),
    "an earlier Airflow": ("Apache_Airflow[celery] < 3", "1:1", "and this asks for '<3'", "remove the line"),
    "another Airflow's own package": ("apache-airflow-core==3.1.0", "1:1", "asks for '3.1.0'", "remove the line"),
    "another Airflow on this Python": ('apache-airflow==3.1; python_version == "3.12"', "1:1", "for '3.1'", "remove"),
    "a path": ("./dist/x.whl", "1:1", "'./dist/x.whl' is a path of this machine", f"write {PLUGINS}/x.whl"),
    "a path without a dot": ("dist/x.whl", "1:1", "is a path of this machine", "airflow.create.plugins"),
    "a file beside it": ("x-1.tar.gz", "1:1", "is a path of this machine", f"{PLUGINS}/x-1.tar.gz"),
    "the project itself": (".", "1:1", "'.' is a path of this machine", "airflow.create.plugins"),
    "a path of this machine": ("/srv/wheels/x.whl[all]", "1:1", "'/srv/wheels/x.whl' is a path", f"{PLUGINS}/x.whl"),
    "a path by its address": ("file:///srv/wheels/x.whl", "1:1", "'/srv/wheels/x.whl' is a path", f"{PLUGINS}/x.whl"),
    "a path out of the plugins": (f"{PLUGINS}/../x.whl", "1:1", "is a path of this machine", "plugins"),
    "a name and a password": ("git+ssh://me:pw@acme.example/x.git", "1:1", "password or token", "${NAME}"),
    "no such wheel": (f"{PLUGINS}/c.whl", "1:1", "from airflow.create.plugins, and is not", "correct"),
    "a long line": ("a" + " " * 1_000_000 + "[" * 1_000_000, "1:1", "a package of 2000001 characters", "on a line"),
    "another file, in one word": ("-rbase.txt", "1:1", "MWAA gets this one file", "write the packages"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "what", "fix"), BAD.values(), ids=BAD)
def test_line_that_pip_would_fail_on(tmp_path: Path, text: str, place: str, what: str, fix: str) -> None:
    """One error at the line; MWAA would start without any of the packages, and say so in a log."""
    edit = (CREATE, f"{WANTED}, plugins: p")
    ((where, said, advice),) = errors(write(tmp_path, edit, files={**FILES, "r.txt": f"{text}\n"}))

    assert where == f"r.txt:{place}"
    assert what in said
    assert fix in advice


def test_wheel_without_plugins(tmp_path: Path) -> None:
    """The file is right, and nothing brings the wheel."""
    path = write(tmp_path, (CREATE, WANTED), files={"r.txt": f"{PLUGINS}/a.whl\n"})
    ((where, _, fix),) = errors(path)

    assert (where, fix) == ("r.txt:1:1", "add plugins: a folder with the file")


def test_startup_script_may_bring_a_wheel(tmp_path: Path) -> None:
    """It runs first, and may fetch what it likes to where it likes."""
    text = f"/tmp/x.whl\n{PLUGINS}/y.whl\n"

    assert loaded(tmp_path, (CREATE, f"{WANTED}, startup_script: start.sh"), files={**FILES, "r.txt": text})


def test_plugins_that_cannot_be_read_are_one_error(tmp_path: Path) -> None:
    """Nothing is said about the wheels that they may hold."""
    files = {"r.txt": f"{PLUGINS}/a.whl\n", "p.zip": "no"}
    problems = errors(write(tmp_path, (CREATE, f"{WANTED}, plugins: p.zip"), files=files))

    assert [(place, what.endswith("p.zip is not a zip file")) for place, what, _ in problems] == [
        ("penstock.yaml:6:92", True)
    ]


def test_lines_are_those_of_pip() -> None:
    """Number and column are those of where a line begins; a comment ends a line that goes on."""
    text = f"\n  a==1 \\\n  {HASH}  # why\nb \\\n# no more\nc#d\n"

    assert list(read(text)) == [PipLine(2, 3, f"a==1   {HASH}"), PipLine(4, 1, "b"), PipLine(6, 1, "c#d")]
    assert [line.package for line in read(f"a==1 {HASH}\n--pre\nb")] == ["a==1", "", "b"]
