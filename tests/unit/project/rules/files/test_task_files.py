"""Files that a project gives to its tasks: what the project file may say, and what the plan makes of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from penstock.bundle import task_files
from penstock.compile.compiler import compile_plan
from penstock.diff import plans
from penstock.project.files import content
from penstock.project.jobs.tasks import Task
from penstock.project.rules.files import checks, levels
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan, ProjectFile
from penstock_runtime.plan.schedule import TaskFile
from tests.unit.project_files import WORKFLOW, errors, loaded, write

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"
PRIVATE = "-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n"
TASK = "        openmetadata: {type: metadata, config: warehouse.yaml}\n"
SERVER = "  version: 1.12.14\n"
Edit = tuple[str, str]


def given(files: str) -> Edit:
    """The edit that gives the second task these files."""
    return TASK, f"{TASK}        files: {files}\n"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def plan(folder: Path, *edits: Edit, **more: str) -> Plan:
    """The plan; `more`: files of the project, dots for underscores."""
    return compile_plan(loaded(folder, *edits, files={name.replace("_", "."): text for name, text in more.items()}))


def of(found: Plan, name: str) -> tuple[TaskFile, ...]:
    """The files of a task."""
    (task,) = (task for schedule in found.schedules for task in schedule.tasks if task.name == name)
    return task.files


def test_a_plan_holds_paths_and_hashes_and_no_content(tmp_path: Path) -> None:
    """Of the project's file its hash and size; of a secret its name, with what it takes to write it."""
    edit = given('{/tmp/ca.pem: ca.pem, /tmp/key: {secret: PASSWORD, mode: "400", base64: true}}')

    compiled_plan = plan(tmp_path, edit, ca_pem=CERTIFICATE)

    assert of(compiled_plan, "catalogue") == (
        TaskFile("/tmp/ca.pem", "0644", sha256=sha256(CERTIFICATE)),
        TaskFile("/tmp/key", "0400", secret="PASSWORD", base64=True),
    )
    assert compiled_plan.files == (ProjectFile("ca.pem", sha256(CERTIFICATE), len(CERTIFICATE)),)
    assert "BEGIN CERTIFICATE" not in compiled_plan.to_json()
    assert Plan.from_json(compiled_plan.to_json()) == compiled_plan


def test_a_secret_that_is_a_file_is_one_of_the_task_definition(tmp_path: Path) -> None:
    """ECS reads it for the container, as it reads all others; by default its owner alone may read the file."""
    new = ("secrets:\n", "secrets:\n  KEYTAB: secretsmanager:keytab\n")

    compiled_plan = plan(tmp_path, new, given("{/tmp/keytab: {secret: KEYTAB}}"))
    names = {
        definition.engine: [secret.name for secret in definition.secrets]
        for definition in compiled_plan.task_definitions
    }

    assert "KEYTAB" in names["openmetadata"]
    assert "KEYTAB" not in names["meltano"]
    assert of(compiled_plan, "catalogue")[0].mode == "0600"


def test_only_a_task_definition_whose_tasks_get_files_of_the_project_may_read_them(tmp_path: Path) -> None:
    """A secret comes from elsewhere, and other tasks need nothing."""
    of_the_project = plan(tmp_path / "1", given("{/tmp/ca.pem: ca.pem}"), ca_pem=CERTIFICATE)
    of_a_secret = plan(tmp_path / "2", given("{/tmp/key: {secret: PASSWORD}}"))

    assert {definition.engine: definition.files for definition in of_the_project.task_definitions} == {
        "openmetadata": True,
        "meltano": False,
    }
    assert not any(definition.files for definition in of_a_secret.task_definitions)
    families = [
        {definition.engine: definition.family for definition in found.task_definitions}
        for found in (of_the_project, of_a_secret)
    ]
    assert families[0]["meltano"] == families[1]["meltano"]


def test_the_innermost_level_wins(tmp_path: Path) -> None:
    """A task's own over its job's over Meltano's over the defaults', path by path, however the path is written."""
    compiled_plan = plan(
        tmp_path,
        ("  task: {cpu_units: 512, memory_mib: 1024}\n", "  task: {files: {/tmp/a: d.txt, /tmp/b: d.txt}}\n"),
        ("meltano: {project: meltano, environment: prod}", "meltano: {project: meltano, files: {/tmp/m: m.txt}}"),
        ("  warehouse:\n    tasks:\n", "  warehouse:\n    files: {/tmp/b: j.txt, x/y: j.txt}\n    tasks:\n"),
        given("{./x/y: t.txt}"),
        d_txt="d",
        m_txt="m",
        j_txt="j",
        t_txt="t",
    )  # fmt: skip

    digests = {sha256(text): text for text in "dmjt"}
    shown = {
        name: {one.path: digests[str(one.sha256)] for one in of(compiled_plan, name)} for name in ("load", "catalogue")
    }
    assert shown == {
        "load": {"/tmp/a": "d", "/tmp/b": "j", "/tmp/m": "m", "x/y": "j"},
        "catalogue": {"/tmp/a": "d", "/tmp/b": "j", "x/y": "t"},
    }


@pytest.mark.parametrize(
    ("files", "what", "fix"),
    [
        ("{/etc/ssl/ca.pem: ca.pem}", "/etc/ssl/ca.pem is where the user of OpenMetadata's image", "/tmp/ca.pem"),
        ("{/tmp/: ca.pem}", "'/tmp/' is not the path of a file", "absolute path"),
        ("{/tmp/../etc/x: ca.pem}", "is not the path of a file", "absolute path"),
        ('{"/tmp/${HOST}": ca.pem}', "is taken literally", "absolute path"),
        ("{~/ca.pem: ca.pem}", "is taken literally", "absolute path"),
        ("{/proc/self/x: ca.pem}", "the kernel's", "absolute path"),
        ("{/tmp/x: ca.pem, /tmp//x: ca.pem}", "are the same file", "remove one"),
        ("{/tmp/x: ca.pem, /tmp/x/y: ca.pem}", "would be in a folder of that name", "rename one"),
        ("{/tmp/x: {secret: NONE}}", "there is no secret 'NONE'", "use one of: OM_JWT, PASSWORD"),
        ("{/tmp/x: {secret: HOST}}", "there is no secret 'HOST'", "use one of: OM_JWT, PASSWORD"),
        ("{/tmp/x: {secret: PASSWORD, file: ca.pem}}", "this one has both", "one of them"),
        ("{/tmp/x: {mode: '0600'}}", "this one has neither", "one of them"),
        ("{/tmp/x: {file: ca.pem, base64: true}}", "only a secret is decoded", "remove base64"),
        ("{/tmp/x: {file: ca.pem, mode: 0400}}", "'mode' of task 'catalogue' must be text", 'quote it: "0400"'),
        ("{/tmp/x: {file: ca.pem, mode: '0200'}}", "the mode of a file that its owner may read", '"0400"'),
        ("{/tmp/x: gone.pem}", "gone.pem does not exist", "check the path"),
        ("{/tmp/x: meltano}", "meltano is a folder", "each file"),
        ("{/tmp/x: /etc/passwd}", "'/etc/passwd' is not a relative path", "relative to the project file"),
        ("{/tmp/x: key.pem}", "key.pem holds a private key", "{secret: NAME}"),
        ("{/tmp/penstock/openmetadata-ca.pem: ca.pem}", "where Penstock puts", "rename it"),
        ("{/tmp/x: {fil: ca.pem}}", "unknown key 'fil'", "did you mean 'file'?"),
    ],
)
def test_what_is_wrong_is_said_at_its_line_with_a_fix(tmp_path: Path, files: str, what: str, fix: str) -> None:
    """In the project file, before anything is deployed."""
    path = write(tmp_path, given(files), files={"ca.pem": CERTIFICATE, "key.pem": PRIVATE})

    problems = errors(path)

    assert any(what in one[1] and fix in one[2] for one in problems), problems
    assert all(one[0].startswith("penstock.yaml:") for one in problems)


def test_a_private_key_may_be_allowed(tmp_path: Path) -> None:
    """A key that protects nothing, of a test for example."""
    block = f"{TASK}        files:\n          /tmp/key: key.pem  # penstock: allow-literal\n"

    assert len(of(plan(tmp_path, (TASK, block), key_pem=PRIVATE), "catalogue")) == 1


@pytest.mark.parametrize(
    "path", ["/tmp/a", "/home/openmetadata/.dbt/a", "/ingestion/a", "a/b", "./a", "/dev/shm/a", "/var/tmp/a"]
)
def test_where_the_image_lets_its_user_write(tmp_path: Path, path: str) -> None:
    """OpenMetadata's image runs as a user without rights elsewhere."""
    assert len(of(plan(tmp_path, given(f"{{{path}: ca.pem}}"), ca_pem=CERTIFICATE), "catalogue")) == 1


def test_an_image_of_the_users_own_takes_any_path(tmp_path: Path) -> None:
    """Its users know who it runs as."""
    own = ("airflow: {create:", "images: {openmetadata: {repository: acme.io/ours}}\nairflow: {create:")

    assert len(of(plan(tmp_path, own, given("{/etc/ssl/ca.pem: ca.pem}"), ca_pem=CERTIFICATE), "catalogue")) == 1


@pytest.mark.parametrize("path", ["/home/openmetadata/x", "target/x"])
def test_a_read_only_root_has_files_below_tmp_only(tmp_path: Path, path: str) -> None:
    """There is a tmpfs, and nothing else that can be written to."""
    only = ("  task: {cpu_units: 512, memory_mib: 1024}\n", "  task: {read_only_root: true}\n")

    ((_, what, fix),) = errors(write(tmp_path, only, given(f"{{{path}: ca.pem}}"), files={"ca.pem": CERTIFICATE}))

    assert what == f"{path} is not below /tmp, and the container's root is read-only (read_only_root)"
    assert fix == "write /tmp/x, and the same where the file is used"


def test_files_fill_no_more_than_the_tmpfs(tmp_path: Path) -> None:
    """With a read-only root /tmp is memory, and its size a setting."""
    edits = (
        ("  task: {cpu_units: 512, memory_mib: 1024}\n", "  task: {read_only_root: true}\n"),
        ("airflow: {create:", "ecs: {tmp_mib: 64}\nairflow: {create:"),
        given("{/tmp/x: x.bin}"),
    )

    ((_, what, fix),) = errors(write(tmp_path, *edits, files={"x.bin": bytes(65 * 1024 * 1024)}))

    assert what == "the files of task 'catalogue' have 65.0 MiB, and /tmp has 64"
    assert fix.startswith("raise ecs.tmp_mib")


def test_more_than_a_deploy_carries_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same content counts once."""
    monkeypatch.setattr(checks, "MAX_TOTAL_BYTES", 5)
    edit = given("{/tmp/a: a.txt, /tmp/b: b.txt, /tmp/c: a.txt}")

    assert len(of(plan(tmp_path / "1", edit, a_txt="123", b_txt="12"), "catalogue")) == 3
    ((_, what, _),) = errors(write(tmp_path / "2", edit, files={"a.txt": "123", "b.txt": "456"}))
    assert what.startswith("the files of all tasks have ")


def test_more_than_run_task_takes_is_refused(tmp_path: Path) -> None:
    """Each file takes room in RunTask's overrides."""
    many = ", ".join(f"/tmp/{'x' * 150}{number}: ca.pem" for number in range(50))

    problems = errors_of_plan(tmp_path, given(f"{{{many}}}"))

    assert "RunTask leaves room for" in problems
    assert "use fewer files" in problems


def errors_of_plan(folder: Path, *edits: Edit) -> str:
    with pytest.raises(PenstockError) as caught:
        plan(folder, *edits, ca_pem=CERTIFICATE)
    return str(caught.value)


def test_an_image_without_our_runtime_gets_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for them in such a task is told; what the defaults give to all tasks leaves it out."""

    def elsewhere(task: Task | None) -> bool:
        return task is None or task.command is None

    monkeypatch.setattr(levels, "has_runtime", elsewhere)
    own = (
        "    tasks:\n",
        "    tasks:\n      - {name: own, command: [echo], image: busybox, files: {/tmp/a: ca.pem}}\n",
    )
    default = ("  task: {cpu_units: 512, memory_mib: 1024}\n", "  task: {files: {/tmp/a: ca.pem}}\n")
    files = {"ca.pem": CERTIFICATE}

    ((where, what, fix),) = errors(write(tmp_path / "1", own, files=files))
    project = loaded(tmp_path / "2", default, (own[0], own[1].replace(", files: {/tmp/a: ca.pem}", "")), files=files)

    assert where == "penstock.yaml:21:54"
    assert what == "task 'own' runs in an image without Penstock's runtime, which writes the files"
    assert "put the files into the image" in fix
    assert of(compile_plan(project), "own") == ()
    assert len(of(compile_plan(project), "load")) == 1


def test_diff_says_which_file_changed(tmp_path: Path) -> None:
    """By its path; a hash says nothing to a person."""
    before = plan(tmp_path / "1", given("{/tmp/a: a.txt, /tmp/b: b.txt}"), a_txt="1", b_txt="1")
    after = plan(tmp_path / "2", given("{/tmp/a: a.txt, /tmp/b: b.txt}"), a_txt="2", b_txt="1")

    (change,) = plans.compare(plans.as_data(before), plans.as_data(after))

    assert [str(field) for field in change.fields] == ["tasks.catalogue.files./tmp/a.sha256 changed"]


# The files themselves


def test_files_are_laid_out_by_their_hash(tmp_path: Path) -> None:
    """For the upload; of two with the same content one."""
    read = loaded(tmp_path, given("{/tmp/a: a.txt, /tmp/b: b.txt}"), files={"a.txt": "same", "b.txt": "same"})

    folder = task_files.write(compile_plan(read), read.folder, tmp_path / "out")

    assert folder == tmp_path / "out"
    assert {path.name: path.read_text() for path in folder.iterdir()} == {sha256("same"): "same"}


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    """The container would refuse it, hours later."""
    read = loaded(tmp_path, given("{/tmp/a: a.txt}"), files={"a.txt": "one"})
    (tmp_path / "a.txt").write_text("two")

    with pytest.raises(PenstockError, match=r"a\.txt changed while it was being copied"):
        task_files.write(compile_plan(read), read.folder, tmp_path / "out")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Opening one for reading would wait until somebody writes."""
    import os

    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(PenstockError, match="cannot be read: it is not a regular file"):
        content.read(tmp_path / "pipe", "pipe", "here")


# The server's certificate


def server(value: str) -> Edit:
    return SERVER, f"{SERVER}  ca_certificate: {value}\n"


def config(found: Plan) -> dict[str, object]:
    """What the workflow of the plan says of the server."""
    read: dict[str, object] = yaml.safe_load(found.configs[0].text)["workflowConfig"]["openMetadataServerConfig"]
    return read


def test_workflows_check_the_server_against_its_authority(tmp_path: Path) -> None:
    """The file is in the container of each workflow, and its config names it."""
    compiled_plan = plan(tmp_path, server("ca.pem"), ca_pem=CERTIFICATE)

    assert config(compiled_plan)["verifySSL"] == "validate"
    assert config(compiled_plan)["sslConfig"] == {"caCertificate": "/tmp/penstock/openmetadata-ca.pem"}
    assert of(compiled_plan, "catalogue") == (
        TaskFile("/tmp/penstock/openmetadata-ca.pem", "0644", sha256=sha256(CERTIFICATE)),
    )
    assert of(compiled_plan, "load") == ()


def test_the_certificate_may_be_a_secret(tmp_path: Path) -> None:
    """Then it is one of the workflow's secrets."""
    new = ("secrets:\n", "secrets:\n  OM_CA: ssm:/acme/ca\n")

    compiled_plan = plan(tmp_path, new, server("{secret: OM_CA}"))

    assert of(compiled_plan, "catalogue") == (TaskFile("/tmp/penstock/openmetadata-ca.pem", "0644", secret="OM_CA"),)
    assert compiled_plan.files == ()


@pytest.mark.parametrize("own", ["{verifySSL: ignore}", "{sslConfig: {caCertificate: /etc/ssl/certs/x.pem}}"])
def test_what_the_workflow_says_wins(tmp_path: Path, own: str) -> None:
    """A file of the user's stays unchanged; then the certificate does not go along."""
    text = WORKFLOW + f"workflowConfig: {{openMetadataServerConfig: {own}}}\n"

    compiled_plan = plan(tmp_path, server("ca.pem"), ca_pem=CERTIFICATE, warehouse_yaml=text)

    assert {**config(compiled_plan), **yaml.safe_load(own)} == config(compiled_plan)
    assert of(compiled_plan, "catalogue") == ()


@pytest.mark.parametrize(
    ("edit", "what", "fix"),
    [
        (server("key.pem"), "key.pem holds a private key", "{secret: NAME}"),
        (server("der.crt"), "der.crt holds no certificate in PEM", "openssl x509 -inform der -in der.crt"),
        (server("{secret: NONE}"), "there is no secret 'NONE'", "use one of"),
        (server("gone.pem"), "gone.pem does not exist", "check the path"),
    ],
)
def test_a_certificate_that_is_none_is_refused(tmp_path: Path, edit: Edit, what: str, fix: str) -> None:
    """At its line."""
    problems = errors(write(tmp_path, edit, files={"key.pem": CERTIFICATE + PRIVATE, "der.crt": b"\x30\x82"}))

    assert [(what in one[1], fix in one[2]) for one in problems] == [(True, True)], problems


def test_an_address_without_tls_has_no_certificate(tmp_path: Path) -> None:
    """The two contradict each other."""
    plain = ("server: https://catalog.acme.io/api", "server: http://catalog.acme.io/api")

    ((_, what, fix),) = errors(write(tmp_path, plain, server("ca.pem"), files={"ca.pem": CERTIFICATE}))

    assert what == "the server's address is http://, which has no certificate to check"
    assert fix == "write https:// in server, or remove ca_certificate"


def test_the_plan_as_json_has_no_secret(tmp_path: Path) -> None:
    """Names of secrets only."""
    data = json.loads(plan(tmp_path, given("{/tmp/key: {secret: PASSWORD}}")).to_json())

    (file,) = data["schedules"][0]["tasks"][1]["files"]
    assert file == {"path": "/tmp/key", "mode": "0600", "sha256": None, "secret": "PASSWORD", "base64": False}
