"""Where the files of a release are uploaded to before it is live."""

from __future__ import annotations

from penstock.bundle.build import Bundle
from penstock.deployed.push import staged

DAGS = {
    "acme-dev/schedules_00.py": b"loader",
    "acme-dev/release/.airflowignore": b".*",
    "acme-dev/release/aaaa/schedules.json": b"{}",
}


def test_nothing_goes_right_into_the_folder_that_airflow_reads() -> None:
    """All of it lies below the release; what hides all releases is there since the first deploy, and is not touched."""
    files = staged(Bundle("aaaa", DAGS, {}, "0" * 64), "dags/acme-dev", "acme-dev")

    assert files == {
        "dags/acme-dev/release/aaaa/top/schedules_00.py": b"loader",
        "dags/acme-dev/release/aaaa/schedules.json": b"{}",
    }
