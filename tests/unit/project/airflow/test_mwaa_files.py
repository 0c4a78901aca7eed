"""Requirements, plugins and startup script of an MWAA environment."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.compile import mwaa
from penstock.compile.compiler import compile_plan
from penstock.project.airflow import plugins, requirements
from penstock_runtime.plan.airflow import Airflow
from tests.unit.project_files import errors, loaded, write

CREATE = "version: 3.0.6, class: mw1.small"
URL = "https://raw.githubusercontent.com/apache/airflow/constraints-3.0.6/constraints-3.12.txt"
REQUIREMENTS = ", requirements: {file: r.txt}"
OFFLINE = ", requirements: {file: r.txt, install_from: plugins}, plugins: wheels"
WHEEL = {"wheels/a-1-py3-none-any.whl": b"PK"}
TRIGGER = "penstock_trigger.py"
STARTUP = ", startup_script: start.sh"
Files = Mapping[str, str | bytes]


def _made(folder: Path, more: str, files: Files, version: str | None = None) -> tuple[Airflow, dict[str, bytes]]:
    """The plan's environment, and the files of the project's own by key."""
    project = loaded(folder, (CREATE, CREATE + more), files=files)
    plan = compile_plan(project, airflow_version=version)
    nothing = (mwaa.NO_REQUIREMENTS.encode(), plugins.with_trigger(None))
    own = {key: content for key, content in mwaa.files(plan, project).items() if content not in nothing}
    return plan.airflow, own


def _text(folder: Path, more: str, files: Files, version: str | None = None) -> str:
    airflow, _ = _made(folder, more, files, version)
    assert airflow.requirements is not None
    return airflow.requirements.text


@pytest.mark.parametrize(
    ("version", "python"),
    [("2.9.2", "3.11"), ("2.10.3", "3.11"), ("2.11.0", "3.12"), ("3.0.6", "3.12"), ("3.9.9", "3.12")],
)
def test_constraints_are_those_of_the_airflow_and_its_python(tmp_path: Path, version: str, python: str) -> None:
    """The version may come from elsewhere than the project file; a new one has its neighbours' Python."""
    text = _text(tmp_path, REQUIREMENTS, {"r.txt": "tabulate"}, version)
    base = "https://raw.githubusercontent.com/apache/airflow"

    assert text == f'--constraint "{base}/constraints-{version}/constraints-{python}.txt"\ntabulate\n'


def test_the_users_lines_stay_with_their_comments(tmp_path: Path) -> None:
    """Nothing is lost or reordered; only line ends are made the same."""
    text = _text(tmp_path, REQUIREMENTS, {"r.txt": "# why\r\n\r\ntabulate==0.9 # tables\r\n"})

    assert text == f'--constraint "{URL}"\n# why\n\ntabulate==0.9 # tables\n'


@pytest.mark.parametrize("line", [f"--constraint {URL}", f'-c "{URL}"', f"--constraint='{URL}'"])
def test_the_right_constraints_are_written_once(tmp_path: Path, line: str) -> None:
    """Whoever has the line already keeps the file unchanged; of another Airflow's it is replaced with the version."""
    assert _text(tmp_path, REQUIREMENTS, {"r.txt": f"{line}\ntabulate\n"}) == f'--constraint "{URL}"\ntabulate\n'


def test_constraints_in_the_container_are_the_users_choice(tmp_path: Path) -> None:
    """MWAA's documented way to newer providers: a changed constraints file that lies there."""
    own = '--constraint "/usr/local/airflow/plugins/constraints-3.12-updated.txt"\ntabulate\n'
    files = {"r.txt": own, "p/constraints-3.12-updated.txt": "tabulate==0.9\n"}

    assert _text(tmp_path, f"{REQUIREMENTS}, plugins: p", files) == own


def test_user_of_ssh_is_no_password(tmp_path: Path) -> None:
    """`git` is what every host of repositories calls its user."""
    line = "x @ git+ssh://git@git.acme.io/x.git\n"

    assert _text(tmp_path, REQUIREMENTS, {"r.txt": line}).endswith(line)


def test_wheels_need_no_network(tmp_path: Path) -> None:
    """No address in the file, constraints neither: MWAA applies those of its image where the file names none."""
    text = _text(tmp_path, OFFLINE, {"r.txt": "# wheels\na==1\n", **WHEEL})

    assert text == "--find-links /usr/local/airflow/plugins\n--no-index\n# wheels\na==1\n"
    assert not requirements._MWAA_SEES_CONSTRAINTS.search(text)


def test_what_a_project_does_not_have_is_there_and_does_nothing(tmp_path: Path) -> None:
    """MWAA keeps what a template leaves out, so something is in the place of a file that a project does not have."""
    project = loaded(tmp_path, (CREATE, CREATE))
    plan = compile_plan(project)
    airflow, files = plan.airflow, mwaa.files(plan, project)

    assert isinstance(airflow, Airflow)
    assert airflow.requirements is not None
    assert airflow.plugins is not None
    assert set(files) == {airflow.requirements.key, airflow.plugins}
    lines = files[airflow.requirements.key].decode().splitlines()
    assert lines
    assert all(line.startswith("#") for line in lines)
    assert not requirements._MWAA_SEES_CONSTRAINTS.search(airflow.requirements.text)
    with zipfile.ZipFile(io.BytesIO(files[airflow.plugins])) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [TRIGGER]
    assert airflow.options == {"core.default_task_retries": "0"}
    assert airflow.startup_script is None


def test_options_of_ones_own_are_alone(tmp_path: Path) -> None:
    """The map is sent as a whole, so an option that leaves it leaves MWAA."""
    airflow, _ = _made(tmp_path, ", options: {core.parallelism: '40'}", {})

    assert airflow.options == {"core.parallelism": "40"}


def test_a_key_changes_with_the_content_and_with_nothing_else(tmp_path: Path) -> None:
    """Another option, another file's name: the same keys. Another line: another key."""
    before, _ = _made(tmp_path / "a", REQUIREMENTS, {"r.txt": "tabulate\n"})
    renamed, _ = _made(tmp_path / "b", ", schedulers: 3, requirements: {file: x/y.txt}", {"x/y.txt": "tabulate\n"})
    changed, files = _made(tmp_path / "c", REQUIREMENTS, {"r.txt": "tabulate \n"})

    assert before.requirements is not None
    assert changed.requirements is not None
    assert renamed.requirements == before.requirements
    assert changed.requirements.key != before.requirements.key
    assert files == {changed.requirements.key: changed.requirements.text.encode()}


def test_plugins_are_the_same_to_the_byte(tmp_path: Path) -> None:
    """Whatever the files' times, order and mode on this machine; a file that may run may run there."""
    files: Files = {"plugins/b.py": "B = 1\n", "plugins/a/x.sh": "ls\n", "plugins/a/__pycache__/b.pyc": "?"}
    first, content = _made(tmp_path / "a", ", plugins: plugins", files)
    other = write(tmp_path / "b", (CREATE, CREATE + ", plugins: plugins"), files=dict(reversed(files.items())))
    os.utime(other.parent / "plugins/b.py", (0, 0))
    (other.parent / "plugins/b.py").chmod(0o600)
    second, _ = _made(tmp_path / "b", ", plugins: plugins", {})
    (other.parent / "plugins/a/x.sh").chmod(0o755)
    third, executable = _made(tmp_path / "b", ", plugins: plugins", {})

    assert first.plugins == second.plugins != third.plugins
    ((key, archive),) = content.items()
    assert key == first.plugins
    assert sorted(zipfile.ZipFile(io.BytesIO(archive)).namelist()) == ["a/x.sh", "b.py", TRIGGER]
    infos = zipfile.ZipFile(io.BytesIO(next(iter(executable.values())))).infolist()
    assert {info.filename: info.external_attr >> 16 & 0o777 for info in infos} == {
        "a/x.sh": 0o755,
        "b.py": 0o644,
        TRIGGER: 0o644,
    }


@pytest.mark.parametrize("own_trigger", [False, True])
def test_a_zip_file_keeps_its_files(tmp_path: Path, own_trigger: bool) -> None:
    """Not packed again; the trigger is beside them, unless there is one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(TRIGGER if own_trigger else "b.py", "B = 1\n")
    _, files = _made(tmp_path, ", plugins: p.zip", {"p.zip": buffer.getvalue()})

    (content,) = files.values()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ([TRIGGER] if own_trigger else ["b.py", TRIGGER])
    assert (content == buffer.getvalue()) is own_trigger
    assert content == plugins.with_trigger(buffer.getvalue())


def test_files_are_written_by_key(tmp_path: Path) -> None:
    """What goes to the bucket; None where there is nothing."""
    airflow, files = _made(tmp_path / "project", STARTUP, {"start.sh": "true\n"})
    folder = mwaa.write(files, tmp_path / "out")

    assert airflow.startup_script is not None
    assert folder is not None
    assert (folder / airflow.startup_script.key).read_text() == "true\n"
    assert mwaa.write({}, tmp_path / "none") is None


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (", plugins: ¦.", "'.' is the project's own folder"),
        (", plugins: ¦wheels/..", "'wheels/..' is the project's own folder"),
        (", plugins: ¦..", "'..' is outside the project"),
        (", requirements: {file: ¦../r.txt}", "'../r.txt' is outside the project"),
        (", startup_script: ¦a/../../s.sh", "'a/../../s.sh' is outside the project"),
    ],
)
def test_files_are_below_the_projects_folder(tmp_path: Path, more: str, what: str) -> None:
    """What is beside it is not in the repository, and none of it is a plugin."""
    column = len(f"airflow: {{create: {{{CREATE}") + more.index("¦") + 1
    path = write(tmp_path, (CREATE, CREATE + more.replace("¦", "")))
    ((where, said, fix),) = errors(path)

    assert (where, said) == (f"penstock.yaml:6:{column}", what)
    assert fix == "name something below the project's folder"


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return buffer.getvalue()


MISTAKES: dict[str, tuple[str, Files, str, str, str]] = {
    # name: (more of `create`, files, place, part of what, part of fix)
    "no requirements": (REQUIREMENTS, {}, "penstock.yaml:6:75", "r.txt does not exist", "check the path"),
    "path of this machine": (
        ", requirements: {file: /etc/r.txt}", {}, "penstock.yaml:6:75", "is not a relative path", "to the project file"
    ),
    "constraints of another Airflow": (
        REQUIREMENTS, {"r.txt": f"x\n -c {URL.replace('3.0.6', '2.10.3')}\n"}, "r.txt:2:2",
        "other constraints than those of Airflow 3.0.6", "remove it: Penstock writes the line",
    ),
    "another file": (REQUIREMENTS, {"r.txt": "-r base.txt\n"}, "r.txt:1:1", "MWAA gets this one file", "write the"),
    "editable": (REQUIREMENTS, {"r.txt": "-e ./mine\n"}, "r.txt:1:1", "MWAA gets this one file", "write the"),
    "another Airflow": (
        REQUIREMENTS, {"r.txt": "apache-airflow[celery]==2.10.3\n"}, "r.txt:1:1",
        "MWAA runs Airflow 3.0.6, and this asks for '2.10.3'", "remove the line",
    ),
    "token in an address": (
        REQUIREMENTS, {"r.txt": "--extra-index-url https://ci:s3cret@packages.acme.io/simple\n"}, "r.txt:1:1",
        "password or token", "${NAME}",
    ),
    "password beside a user of SSH": (
        REQUIREMENTS, {"r.txt": "x @ git+ssh://git:s3cret@git.acme.io/x.git\n"}, "r.txt:1:1", "password or", "${NAME}",
    ),
    "wheels without plugins": (
        ", requirements: {file: r.txt, install_from: plugins}", {"r.txt": "a\n"}, "penstock.yaml:6:68",
        "requirements come from plugins, and there are none", "add plugins",
    ),
    "index beside wheels": (
        OFFLINE, {"r.txt": "--index-url https://acme.example\n", **WHEEL}, "r.txt:1:1", "Penstock says where", "remove",
    ),
    "constraints beside wheels": (
        OFFLINE, {"r.txt": f"-c {URL}\n", **WHEEL}, "r.txt:1:1", "nothing is fetched", "remove the line",
    ),
    "comment that MWAA reads": (
        OFFLINE, {"r.txt": "# was: pip -c x\n", **WHEEL}, "r.txt:1:1", "even a comment", "word it differently",
    ),
    "no plugins": (", plugins: wheels", {}, "penstock.yaml:6:63", "wheels does not exist", "a folder or a zip file"),
    "empty plugins": (
        ", plugins: wheels", {"wheels/__pycache__/a.pyc": ""}, "penstock.yaml:6:63", "wheels has no files", "leave",
    ),
    "no zip": (", plugins: p.zip", {"p.zip": b"no"}, "penstock.yaml:6:63", "p.zip is not a zip file", "name a folder"),
    "empty zip": (", plugins: p.zip", {"p.zip": _zip()}, "penstock.yaml:6:63", "p.zip has no files", "leave"),
    "zip that leads out": (
        ", plugins: p.zip", {"p.zip": _zip("a.py", "../b.py")}, "penstock.yaml:6:63", "'../b.py', which", "relative",
    ),
    "no script": (STARTUP, {}, "penstock.yaml:6:70", "start.sh does not exist", "check the path"),
    "empty script": (STARTUP, {"start.sh": "\n"}, "start.sh:1:1", "start.sh is empty", "leave startup_script out"),
    "line ends": (STARTUP, {"start.sh": "true\nls\r\n"}, "start.sh:2:1", "ends in CR LF", "LF line ends"),
    "a program": (STARTUP, {"start.sh": b"ls\necho \0 x\n"}, "start.sh:2:1", "a NUL byte", "as text"),
    "secret in a script": (
        STARTUP,
        {"start.sh": "true\nexport DB_PASSWORD='hunter2'\n"},
        "start.sh:2:1",
        "'DB_PASSWORD' is a secret",
        "Secrets",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("more", "files", "place", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_place_and_fix(
    tmp_path: Path, more: str, files: Files, place: str, what: str, fix: str
) -> None:
    """In the file itself where it has a line, otherwise where the file is named; once for both environments."""
    ((where, said, advice),) = errors(write(tmp_path, (CREATE, CREATE + more), files=files))

    assert where == place
    assert what in said
    assert fix in advice


@pytest.mark.skipif(shutil.which("bash") is None, reason="syntax is checked by bash, where there is one")
def test_script_that_bash_cannot_read(tmp_path: Path) -> None:
    """MWAA would tell after half an hour, in a log."""
    script = "#!/bin/bash\nif true; then\n  ls\ndone\n"
    ((where, said, _),) = errors(write(tmp_path, (CREATE, CREATE + STARTUP), files={"start.sh": script}))

    assert where == "start.sh:4:1"
    assert "syntax error near unexpected token `done'" in said


@pytest.mark.skipif(shutil.which("bash") is None, reason="syntax is checked by bash, where there is one")
@pytest.mark.parametrize("end", ["", " EOF\n", "EOF \n", "# EOF\n"])
def test_here_document_that_does_not_end(tmp_path: Path, end: str) -> None:
    """Nothing behind it would run, and MWAA would say nothing."""
    script = f"ls\ncat <<EOF\nx\n{end}ls\n"
    ((where, said, fix),) = errors(write(tmp_path, (CREATE, CREATE + STARTUP), files={"start.sh": script}))

    assert where == "start.sh:2:1"
    assert "no line is 'EOF' and nothing else" in said
    assert fix == "end it with a line EOF, without spaces around it"


@pytest.mark.parametrize(
    "script",
    ["cat <<EOF\nx\nEOF", "cat <<-EOF\n\tx\n\tEOF\n", "x=$(cat <<EOF\nx\nEOF)\n", "# <<EOF\n", "cat <<'A' <<B\nA\nB\n"],
)  # fmt: skip
def test_here_document_that_ends(tmp_path: Path, script: str) -> None:
    """However bash lets it."""
    assert loaded(tmp_path, (CREATE, CREATE + STARTUP), files={"start.sh": script})


def test_script_is_read_and_not_run(tmp_path: Path) -> None:
    """Not the script, and nothing that an environment variable of bash names."""
    folder = tmp_path / "made"
    script = f'touch {folder}\nexport TOKEN="$(aws secretsmanager get-secret-value)" # read at run time\n'
    (tmp_path / "env.sh").write_text(f"touch {folder}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BASH_ENV", str(tmp_path / "env.sh"))
        loaded(tmp_path / "project", (CREATE, CREATE + STARTUP), files={"start.sh": script})

    assert not folder.exists()


def test_link_may_not_lead_out_of_the_plugins(tmp_path: Path) -> None:
    """What is not in the project's repository is not on another machine."""
    path = write(tmp_path, (CREATE, CREATE + ", plugins: plugins"), files={"plugins/a.py": ""})
    (tmp_path / "plugins" / "b.py").symlink_to("/etc/hosts")

    assert "plugins/b.py is a link that leads out of the folder" in errors(path)[0][1]


def test_plugins_that_are_too_large(tmp_path: Path) -> None:
    """Said before the upload; the file is never read."""
    path = write(tmp_path, (CREATE, CREATE + ", plugins: p.zip"), files={"p.zip": ""})
    with (tmp_path / "p.zip").open("r+b") as file:
        file.truncate(300 * 1024 * 1024)

    assert "p.zip has 300 MiB, and 200 MiB are the limit" in errors(path)[0][1]
