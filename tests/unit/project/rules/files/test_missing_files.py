"""Paths that a project names and that no container has."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from tests.unit.project_files import WORKFLOW, errors, loaded, write

TASK = "        openmetadata: {type: metadata, config: warehouse.yaml}\n"
SERVER_CERTIFICATE = "sslConfig: {caCertificate: /etc/ssl/private-ca.pem}"
OWN_IMAGE = ("airflow: {create:", "images: {openmetadata: {repository: acme.io/ours}}\nairflow: {create:")
Edit = tuple[str, str]

DBT = """\
source:
  type: dbt
  serviceName: wh
  sourceConfig:
    config:
      type: DBT
      dbtConfigSource:
        dbtConfigType: local
        dbtCatalogFilePath: ./target/catalog.json
        dbtManifestFilePath: target/manifest.json
sink: {type: metadata-rest, config: {}}
workflowConfig: {openMetadataServerConfig: {verifySSL: validate, SSL}}
"""
DBT_TASK = (TASK, TASK.replace("metadata,", "dbt,"))


def warnings(folder: Path, *edits: Edit, **files: str) -> list[str]:
    """What a valid project is warned of."""
    named = {name if "." in name else name.replace("_", "."): text for name, text in files.items()}
    notices = compile_plan(loaded(folder, *edits, files=named)).warnings
    # With another workflow file, nobody uses what the project declares for its own.
    return [warning for warning in notices if "reaches no task" not in warning]


def test_files_of_this_machine_are_refused(tmp_path: Path) -> None:
    """dbt's artefacts by relative paths, whether they are in the project or not, with the entry that brings them."""
    text = DBT.replace("SSL}", "}")
    path = write(tmp_path, DBT_TASK, files={"warehouse.yaml": text, "target/manifest.json": "{}"})

    catalogue, manifest = errors(path)

    assert catalogue == (
        "warehouse.yaml:9:29",
        "'dbtCatalogFilePath' names ./target/catalog.json, "
        "a path of this machine: OpenMetadata's image does not hold it",
        "did you mean files:? Give it to the task: "
        "files: {./target/catalog.json: <file of the project, or {secret: NAME}>}",
    )
    assert manifest == (
        "warehouse.yaml:10:30",
        "'dbtManifestFilePath' names target/manifest.json, "
        "a file of this project: OpenMetadata's image does not hold it",
        "give it to the task: files: {/tmp/manifest.json: target/manifest.json}, and write /tmp/manifest.json here",
    )


def test_what_the_task_is_given_is_there(tmp_path: Path) -> None:
    """However either of the two writes the path."""
    files = "{target/catalog.json: c.json, ./target/manifest.json: target/manifest.json}"
    given = (TASK, f"{DBT_TASK[1]}        files: {files}\n")
    named = {"warehouse.yaml": DBT.replace("SSL}", "}"), "target/manifest.json": "{}", "c.json": "{}"}

    assert warnings(tmp_path, given, **named) == []


def test_a_private_authority_is_warned_of(tmp_path: Path) -> None:
    """An absolute path may be in an image that is said to be OpenMetadata's; the way to bring it is named."""
    text = WORKFLOW + f"workflowConfig: {{openMetadataServerConfig: {{{SERVER_CERTIFICATE}}}}}\n"

    (warning,) = warnings(tmp_path, warehouse_yaml=text)

    assert warning.startswith(
        "warehouse.yaml:8:72: 'caCertificate' names /etc/ssl/private-ca.pem, which OpenMetadata's"
    )
    assert "did you mean openmetadata.ca_certificate?" in warning


def test_an_image_of_the_users_own_may_hold_anything(tmp_path: Path) -> None:
    """Nothing is said of it."""
    text = DBT.replace("SSL}", f"{SERVER_CERTIFICATE}}}")

    assert warnings(tmp_path, DBT_TASK, OWN_IMAGE, warehouse_yaml=text) == []


@pytest.mark.parametrize(
    "line",
    [
        "certificatePath: /etc/ssl/certs/ca-certificates.crt",
        'caCertificate: "${PASSWORD}"',
        'caCertificate: "-----BEGIN CERTIFICATE-----"',
        "dbtManifestHttpPath: https://x/manifest.json",
        "httpPath: /sql/1.0/warehouses/abc",
        "stageFileLocation: /tmp/out",
        "databaseName: ./nothing/of/the/project",
        "includes: [/.*/, /a]",
        "privateKeyPath: ''",
    ],
)
def test_what_is_no_path_of_a_file_that_is_missing_is_left_alone(tmp_path: Path, line: str) -> None:
    """Addresses, what the image itself has, what is filled in at run time, patterns, and where something is written."""
    text = WORKFLOW.replace("config: {type: Postgres, ", f"config: {{type: Postgres, {line}, ")

    assert warnings(tmp_path, warehouse_yaml=text) == []


@pytest.mark.parametrize("value", ["./certs/x.txt", "../x/certs/x.txt"])
def test_a_file_of_the_project_is_certain_whatever_its_key(tmp_path: Path, value: str) -> None:
    """`./certs/x.txt` is a file of this machine under any key."""
    text = WORKFLOW.replace("config: {type: Postgres, ", f"config: {{type: Postgres, options: {{a: {value}}}, ")
    path = write(tmp_path / "x", files={"warehouse.yaml": text, "certs/x.txt": "x"})

    ((_, what, fix),) = errors(path)

    assert what == f"'a' names {value}, a file of this project: OpenMetadata's image does not hold it"
    assert "certs/x.txt}" in fix


def test_an_absolute_path_of_this_machine_is_certain(tmp_path: Path) -> None:
    """It names a file of the project."""
    text = WORKFLOW.replace("config: {type: Postgres, ", f"config: {{type: Postgres, sslCA: {tmp_path}/ca.pem, ")

    ((_, what, fix),) = errors(write(tmp_path, files={"warehouse.yaml": text, "ca.pem": "x"}))

    assert what.endswith("a file of this project: OpenMetadata's image does not hold it")
    assert fix == "give it to the task: files: {/tmp/ca.pem: ca.pem}, and write /tmp/ca.pem here"


@pytest.mark.parametrize(("value", "certain"), [('"${OM_JWT}"', False), ('"-----BEGIN CERTIFICATE-----"', True)])
def test_the_servers_certificate_is_a_path_and_not_a_text(tmp_path: Path, value: str, certain: bool) -> None:
    """The package hands it to its HTTP client, which opens it."""
    ssl = f"sslConfig: {{caCertificate: {value}}}"
    text = WORKFLOW + f"workflowConfig: {{openMetadataServerConfig: {{{ssl}}}}}\n"

    if certain:
        ((_, said, fix),) = errors(write(tmp_path, files={"warehouse.yaml": text}))
        said += fix
    else:
        (said,) = warnings(tmp_path, warehouse_yaml=text)

    assert "'caCertificate' of the server takes the path of a file" in said
    assert "set openmetadata.ca_certificate in penstock.yaml" in said


COMMAND = "      - {name: own, command: COMMAND}\n"


def command(text: str, more: str = "") -> Edit:
    return "    tasks:\n", "    tasks:\n" + COMMAND.replace("COMMAND", text + more)


@pytest.mark.parametrize("text", ["python tools/load.py", "[python, ./tools/load.py]", "python x --code=tools/load.py"])
def test_a_command_in_the_stock_image_has_no_file_of_the_project(tmp_path: Path, text: str) -> None:
    """The image is OpenMetadata's, unchanged."""
    ((where, what, fix),) = errors(write(tmp_path, command(text), files={"tools/load.py": ""}))

    assert where == "penstock.yaml:21:30"
    assert "tools/load.py, a file of this project: OpenMetadata's image does not hold it" in what
    assert "files: {" in fix


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("python tools/load.py", ", image: 'acme.io/tools:1'"),
        ("python tools/load.py", ", files: {tools/load.py: tools/load.py}"),
        ("python main.py", ""),
        ("echo a/b . .. /tmp s3://x/y", ""),
    ],
)
def test_a_command_that_may_be_right_is_left_alone(tmp_path: Path, text: str, more: str) -> None:
    """An image of the user's own; a file that is given; the image's own program; and other words."""
    project = loaded(tmp_path, command(text, more), files={"tools/load.py": "", "main.py": ""})

    assert compile_plan(project).warnings == ()


def test_variables_of_libraries_are_looked_at(tmp_path: Path) -> None:
    """In a task and in a schedule; a Meltano project's own files are in its image."""
    load = "      - {name: load, meltano: tap-a target-b}\n"
    env = load.replace("target-b}", "target-b, env: {GOOGLE_APPLICATION_CREDENTIALS: VALUE}}")

    inside = loaded(tmp_path / "1", (load, env.replace("VALUE", "./key.json")), files={"meltano/key.json": "{}"})
    (warning,) = warnings(tmp_path / "2", (load, env.replace("VALUE", "/etc/gcp.json")))
    ((where, what, _),) = errors(write(tmp_path / "3", (load, env.replace("VALUE", "./key.json"))))

    assert compile_plan(inside).warnings == ()
    assert "'GOOGLE_APPLICATION_CREDENTIALS' names /etc/gcp.json, which Penstock's Meltano image does not" in warning
    assert where == "penstock.yaml:21:85"
    assert what.endswith("names ./key.json, a path of this machine: Penstock's Meltano image does not hold it")


@pytest.mark.parametrize("given", ["", "{/tmp/ca.pem: warehouse.yaml}"])
def test_a_connector_that_takes_a_text_gets_no_path(tmp_path: Path, given: str) -> None:
    """The package writes what stands there into a file of its own: a path would be that file's content."""
    text = WORKFLOW.replace(
        "config: {type: Postgres, ", "config: {type: Postgres, sslConfig: {caCertificate: /tmp/ca.pem}, "
    )
    edits = [(TASK, f"{TASK}        files: {given}\n")] if given else []

    (warning,) = warnings(tmp_path, *edits, warehouse_yaml=text)

    assert "names /tmp/ca.pem, and a source of type postgres takes the text there, not a path" in warning
    assert warning.endswith("put the text into a secret, and write ${NAME} of it here")
