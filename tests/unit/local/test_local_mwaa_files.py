"""What the embedded Airflow does with the files of an MWAA environment."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest

from penstock.compile.mwaa import NO_REQUIREMENTS
from penstock.local import mwaa_files
from penstock.project.airflow.plugins import PluginFile, pack
from penstock_runtime.plan.airflow import Airflow, AirflowFile
from tests.unit.local.servers import server

AIRFLOW = Airflow("acme-dev", "3.0.6", "mw1.small", 1, 2, "private", {})
FILE = AirflowFile("key", "text")


class Bucket:
    """An S3 client of one object."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def get_object(self, **call: Any) -> dict[str, Any]:
        assert call == {"Bucket": "dags", "Key": "plugins/ab.zip"}
        return {"Body": io.BytesIO(self._body)}


def test_what_has_no_effect_here_is_said() -> None:
    """A line each; plugins have one."""
    both = dataclasses.replace(AIRFLOW, requirements=FILE, startup_script=FILE, plugins="plugins/ab.zip")

    none = dataclasses.replace(AIRFLOW, requirements=AirflowFile("key", NO_REQUIREMENTS))
    assert list(mwaa_files.left_out(AIRFLOW)) == []
    assert list(mwaa_files.left_out(none)) == []
    requirements, startup = mwaa_files.left_out(both)
    assert "requirements are not installed here" in requirements
    assert "startup script does not run here" in startup


def test_plugins_are_unpacked_once(tmp_path: Path) -> None:
    """What lies there is of that content: its folder has the hash in its name."""
    folder = tmp_path / "plugins" / "ab"
    archive = pack({"acme/a.py": PluginFile(b"A = 1\n"), "b.py": PluginFile(b"")})
    mwaa_files.unpack_plugins(Bucket(archive), "dags", "plugins/ab.zip", folder)
    mwaa_files.unpack_plugins(Bucket(b"is not read again"), "dags", "plugins/ab.zip", folder)

    assert (folder / "acme" / "a.py").read_text() == "A = 1\n"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["ab"]


@pytest.mark.parametrize("version", ["3.0.6", "2.11.0"])
def test_airflow_is_told_where_they_are(version: str, tmp_path: Path) -> None:
    """As one of its settings: another archive is another folder, and Airflow starts again."""
    environ = server(version, plugins=tmp_path / "ab").environ()

    assert environ["AIRFLOW__CORE__PLUGINS_FOLDER"] == str(tmp_path / "ab")
    assert "AIRFLOW__CORE__PLUGINS_FOLDER" not in server(version).environ()
