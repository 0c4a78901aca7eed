"""The releases of OpenMetadata that were tried: their locks, and what the package needs besides."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from penstock.home import REQUIREMENTS
from penstock.local import images
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.rules.workflow_requirements import image_lines
from penstock.versions import extras
from penstock.versions.openmetadata import OPENMETADATA_LINES, RELEASES, release

FOLDER = REQUIREMENTS / "images"
GUIDE = Path(__file__).parents[3] / "docs" / "openmetadata.md"


@pytest.mark.parametrize("line", OPENMETADATA_LINES)
def test_every_release_has_its_lock(line: str) -> None:
    """With the package of the table and nothing from a build step; the embedded mode and `validate` find it."""
    lock = (FOLDER / f"openmetadata-{line}.txt").read_text()

    assert (FOLDER / f"openmetadata-{line}.in").read_text().splitlines() == image_lines(line)
    assert f"\nopenmetadata-ingestion=={RELEASES[line].package} " in lock
    assert re.search(r"^cachetools==", lock, re.M)
    (dbt,) = re.findall(r"^dbt-core==1\.(\d+)\.", lock, re.M)
    assert int(dbt) < 12
    assert "--hash=sha256:" in lock
    assert shape_file.lock_of(f"{line}.99") == FOLDER / images.LOCKS[line]


def test_no_lock_is_without_a_release() -> None:
    """`make lock` compiles them all."""
    assert {path.stem for path in FOLDER.glob("*.in")} == {f"openmetadata-{line}" for line in OPENMETADATA_LINES}
    (loop,) = re.findall(r"for line in ([\d. ]+);", (REQUIREMENTS / "lock.sh").read_text())
    assert loop.split() == list(OPENMETADATA_LINES)


def test_guide_lists_every_release() -> None:
    """With the package that was tried."""
    text = GUIDE.read_text()

    assert all(f"| {line} | {row.package} |" in text for line, row in RELEASES.items())
    assert all(f"`{one.requirement}`" in text for row in RELEASES.values() for one in row.beside)


@pytest.mark.parametrize(
    ("version", "line"),
    [("1.12.3", "1.12"), ("1.13.0", "1.13"), ("1.9.17", "1.6"), ("1.5.2", "1.6"), ("2.4.0", "2.0"), ("10.0.0", "2.0")],
)
def test_a_version_that_was_not_tried_is_taken_for_its_neighbour(version: str, line: str) -> None:
    """By number, not by letter: 1.9 is older than 1.12."""
    assert release(version) == RELEASES[line]


@pytest.mark.parametrize(
    ("source", "version", "wanted"),
    [
        ("redshift", "1.12.14", ("redshift",)),
        ("redshift-usage", "1.12.14", ("redshift",)),
        ("Snowflake", "1.6.13", ("snowflake",)),
        ("domodatabase", "2.0.7", ("domo",)),
        ("UnityCatalog", "2.0.7", ("databricks",)),
        ("s3", "1.12.14", ()),
        ("s3", "1.13.6", ("s3",)),
        ("mongodb", "1.12.14", ("mongo",)),
        ("sqlite", "1.12.14", ()),
        ("customDatabase", "1.12.14", ()),
    ],
)
def test_extra_of_a_source(source: str, version: str, wanted: tuple[str, ...]) -> None:
    """What the package needs for it; none where it needs no more."""
    assert extras.of_source(source, version) == wanted


def test_lock_script_is_a_script() -> None:
    """The shell takes it."""
    done = subprocess.run(["sh", "-n", str(REQUIREMENTS / "lock.sh")], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
