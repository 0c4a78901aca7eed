"""`penstock dags plugin`: the trigger for an Airflow whose plugins are not Penstock's."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from penstock.cli.dags import plugin
from penstock.project.airflow import plugins
from penstock_runtime.errors import InputError


def test_it_is_the_file_of_plugins_zip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of an older one; nothing else is left there, and the path is printed."""
    (tmp_path / "penstock_trigger.py").write_text("older")

    plugin(tmp_path)

    (written,) = tmp_path.iterdir()
    with zipfile.ZipFile(BytesIO(plugins.with_trigger(None))) as archive:
        assert archive.read(written.name) == written.read_bytes()
    assert capsys.readouterr().out.strip() == str(written)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is the wrong one, most likely: Airflow would not look there."""
    with pytest.raises(InputError, match="No such file or directory") as caught:
        plugin(tmp_path / "plugins")

    assert "a folder that is there" in caught.value.fix
