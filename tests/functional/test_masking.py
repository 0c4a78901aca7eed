"""In whatever form a real engine prints a secret, nothing of it is in the log of its container."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from pathlib import Path

import yaml

from penstock.local import images
from penstock_runtime import contract
from tests import canaries
from tests.functional.engines import (
    PASSWORD,
    STOCK_IMAGE,
    Done,
    Warehouse,
    archive,
    catalogue,
    meltano_image,
    openmetadata,
    run,
    server_block,
    workdir,
)

__all__ = ["archive", "catalogue", "meltano_image", "workdir"]

CANARIES = {**canaries.SECRETS, contract.SECRET_NAMES: json.dumps(list(canaries.SECRETS))}


def check_no_trace(done: Done) -> None:
    """Every form was printed, and nothing of a secret is in the log."""
    printed = [name for name in canaries.SECRETS if name != "CANARY_PIN"]
    for form in canaries.forms(""):
        assert all(f"{name}, {form}: " in done.text for name in printed), form
    shown = [
        line
        for line in done.text.splitlines()
        if any(trace in line.lower() for trace in map(str.lower, canaries.TRACES))
    ]
    assert shown == []
    assert "a field: *** *** '***'" in done.text
    assert "a field, nested: *** ***" in done.text
    assert "the password of the address: ***" in done.text
    assert "penstock: not masked in this log, because they are shorter than 4 characters: CANARY_PIN" in done.text
    assert "penstock: not masked in this log: 2 short or common values inside CANARY_JSON" in done.text


def test_a_command_reads_a_secret_file(archive: Path, tmp_path: Path) -> None:
    """By its path in the container; its content is masked, although the variable holds it as base64."""
    root, code = tmp_path / "root", "print(open('/run/acme/key.txt').read())"
    given = {
        contract.ENGINE: "command",
        contract.COMMAND: json.dumps(["python", "-c", code]),
        contract.SECRET_NAMES: '["KEY"]',
        contract.FILES: json.dumps({"/run/acme/key.txt": {"secret": "KEY", "mode": "0400", "base64": True}}),
        contract.ROOT: str(root),
        "KEY": base64.b64encode(PASSWORD.encode()).decode(),
    }

    done = run(images.stock_environment(STOCK_IMAGE, print) / "bin", tmp_path, archive, given, "read")

    assert done.code == 0
    assert done.text.splitlines()[1] == "***"
    assert (root / "run" / "acme" / "key.txt").read_text() == PASSWORD


def test_a_command_prints_no_secret(archive: Path, tmp_path: Path) -> None:
    """In whatever form it prints them."""
    given = {
        contract.ENGINE: "command",
        contract.COMMAND: json.dumps([sys.executable, canaries.__file__]),
        contract.NAMES: json.dumps(list(canaries.SECRETS)),
        **CANARIES,
    }

    done = run(Path(sys.executable).parent, tmp_path, archive, given, "canary")

    assert done.code == 0
    check_no_trace(done)


def test_meltano_prints_no_secret(meltano_image: Path, workdir: Path, archive: Path, tmp_path: Path) -> None:
    """A plugin of the project that prints them, through Meltano's own log and beside it."""
    project = tmp_path / "project"
    shutil.copytree(workdir, project, symlinks=True)
    document = yaml.safe_load((project / "meltano.yml").read_text())
    plugin = {
        "name": "canary",
        "namespace": "canary",
        "executable": str(project / "canary"),
        "commands": {"print": "all"},
    }
    document.setdefault("plugins", {})["utilities"] = [plugin]
    (project / "meltano.yml").write_text(yaml.safe_dump(document))
    (project / "canary").write_text(f"#!{sys.executable}\n{Path(canaries.__file__).read_text()}")
    (project / "canary").chmod(0o755)
    given = {
        contract.ENGINE: "meltano",
        contract.COMMAND: json.dumps(["run", "canary:print"]),
        contract.NAMES: json.dumps(list(canaries.SECRETS)),
        "MELTANO_ENVIRONMENT": "prod",
        **Warehouse(1).environ,
        **CANARIES,
    }

    done = run(meltano_image / "venv" / "bin", project, archive, given, "canary")

    assert done.code == 0
    check_no_trace(done)


SOURCE = """
from metadata.ingestion.api.steps import Source
from tests_canaries import forms, print_all

print_all()


class Canary(Source):
    @classmethod
    def create(cls, config_dict, metadata, pipeline_name=None):
        from requests import Request
        from requests.auth import HTTPBasicAuth
        from sqlalchemy.engine.url import URL
        import os

        secret = os.environ["CANARY"]
        auth = HTTPBasicAuth("loader", secret.encode())
        print("requests:", Request("GET", "http://x/?p=1", params={"password": secret}, auth=auth).prepare().headers)
        print("requests:", Request("GET", "http://x/", params={"password": secret}).prepare().url)
        url = URL.create("postgresql", "loader", secret, "db", 5432, "warehouse")
        print("SQLAlchemy:", url.render_as_string(hide_password=False))
        raise RuntimeError(f"cannot log in with {secret!r}, {[secret.encode()]}")
"""


def test_openmetadata_prints_no_secret(archive: Path, catalogue: tuple[Path, str], tmp_path: Path) -> None:
    """A source of the project's own that prints them, also by the package's own clients, and in an exception."""
    (tmp_path / "canary_source.py").write_text(SOURCE)
    shutil.copy(canaries.__file__, tmp_path / "tests_canaries.py")
    connection = {"type": "CustomDatabase", "sourcePythonClass": "canary_source.Canary"}
    config = {
        "source": {
            "type": "CustomDatabase",
            "serviceName": "canary",
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": {"type": "DatabaseMetadata"}},
        },
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {"loggerLevel": "DEBUG", "openMetadataServerConfig": server_block(catalogue[1])},
    }
    names = {**CANARIES, "OM_JWT": "test-token", "PYTHONPATH": f"{archive}{os.pathsep}{tmp_path}"}

    done = openmetadata(archive, tmp_path, config, names, "metadata")

    assert done.code != 0
    check_no_trace(done)
    assert done.text.count("requests: ") == 2
    # The package's SQLAlchemy leaves the end of the line unchanged.
    assert "SQLAlchemy: postgresql://loader:***\n***@db:5432/warehouse" in done.text
    assert "RuntimeError: cannot log in with" in done.text
