"""Regions: what is warned of where MWAA is not."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from penstock.aws.regions import MWAA
from penstock.compile.compiler import compile_plan
from tests.unit.project_files import loaded

CREATE = "{create: {version: 3.0.6, class: mw1.small}}"
USE = "{use: {environment: team, version: 3.0.6, bucket: team-dags, execution_role: team}}"
OWN = "{self_managed: {version: 3.0.6}}"


def warned(folder: Path, region: str, airflow: str) -> list[str]:
    """The warnings about MWAA's regions."""
    project = loaded(folder, ("dev: {region: eu-west-1}", f"dev: {{region: {region}}}"), (CREATE, airflow))
    return [warning for warning in compile_plan(project, "dev").warnings if "Amazon MWAA" in warning]


@pytest.mark.parametrize("airflow", [CREATE, USE], ids=["create", "use"])
@pytest.mark.parametrize("region", ["us-east-9", "xx-nowhere-1", "mx-central-1", "us-gov-west-1"])
def test_a_region_without_mwaa_is_warned_of(tmp_path: Path, region: str, airflow: str) -> None:
    """At the region; a warning, since a region may be newer than the table."""
    (warning,) = warned(tmp_path, region, airflow)

    assert warning.startswith(f"penstock.yaml:3:17: {region} is not in the table of 20")
    assert "check its name" in warning


def test_an_airflow_of_ones_own_is_anywhere(tmp_path: Path) -> None:
    """And MWAA where the table says."""
    assert warned(tmp_path / "a", "mx-central-1", OWN) == []
    assert warned(tmp_path / "b", "ap-southeast-7", CREATE) == []


def test_the_table_is_what_boto_knows() -> None:
    """Of every partition; where this fails after an update of boto, the table is to be dated anew."""
    session = boto3.Session()
    partitions = session.get_available_partitions()

    assert {region for name in partitions for region in session.get_available_regions("mwaa", name)} == MWAA
