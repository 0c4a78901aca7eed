"""What /tmp may take of a task's memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.project_files import errors, loaded, write

CONFIG = "openmetadata: {type: metadata, config: warehouse.yaml}"
TASK = (CONFIG, f"{CONFIG}\n        read_only_root: true")
TOP = "network: {create: {cidr: 10.20.0.0/16}}\n"


def test_tmp_that_leaves_one_mebibyte(tmp_path: Path) -> None:
    """Of the task's 1024: tight, but possible."""
    assert loaded(tmp_path, TASK, (TOP, f"{TOP}ecs: {{tmp_mib: 1023}}\n"))


@pytest.mark.parametrize("tmp_mib", [1024, 1025])
def test_tmp_that_takes_all(tmp_path: Path, tmp_mib: int) -> None:
    """A file that fills it would be the end of the task."""
    ((_, what, fix),) = errors(write(tmp_path, TASK, (TOP, f"{TOP}ecs: {{tmp_mib: {tmp_mib}}}\n")))

    assert f"/tmp ({tmp_mib} MiB)" in what
    assert "less than 1024" in fix
