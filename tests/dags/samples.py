"""A bundle made by hand: the real loader and runtime, and the schedules that each test names."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from penstock_runtime.plan.schedule import FargateTask, Schedule
from penstock_runtime.release.resources import Resources

ROOT = Path(__file__).resolve().parents[2]
RELEASE = "0f3a9c2b"

RESOURCES = Resources(
    region="eu-west-1",
    cluster="acme-dev",
    subnets=("subnet-1", "subnet-2"),
    security_groups=("sg-1",),
    assign_public_ip=False,
    log_group="/penstock/acme-dev",
    artifacts_bucket="acme-artifacts",
)
LOAD = FargateTask(
    name="load",
    after=(),
    engine="meltano",
    operator="ecs",
    family="acme-dev-meltano-1a2b",
    cpu_units=512,
    memory_mib=1024,
    ephemeral_storage_gib=20,
    timeout_minutes=30,
    spot=False,
    environment={"TEMPLATE": "{{ ds }}"},
    names=("WAREHOUSE_PASSWORD",),
    command=("run", "tap-csv", "target-postgres"),
)
CATALOGUE = replace(
    LOAD,
    name="catalogue",
    after=("load",),
    engine="openmetadata",
    family="acme-dev-openmetadata-3c4d",
    memory_mib=2048,
    ephemeral_storage_gib=50,
    spot=True,
    environment={},
    names=("OM_JWT",),
    command=(),
    workflow_type="metadata",
    config="ab" * 32,
)
DAILY = Schedule(
    name="daily",
    dag_id="acme-daily",
    job="warehouse",
    cron="0 3 * * *",
    timezone="Europe/Berlin",
    start_date="2024-01-01",
    catchup=False,
    paused=True,
    owner="data-platform",
    email=("ops@example.com",),
    retries=2,
    retry_delay_seconds=420,
    tags=("ingestion", "acme"),
    description="Load and catalogue.",
    source="name: daily\njob: warehouse\n",
    overdue_after_minutes=None,
    tasks=(LOAD, CATALOGUE),
)


def write_bundle(folder: Path, *schedules: Schedule, resources: Resources | None = RESOURCES) -> Path:
    """Write a bundle's folder as the MWAA bucket would hold it, and return it."""
    release = folder / "acme-dev" / "release" / RELEASE
    runtime = ROOT / "runtime" / "penstock_runtime"
    shutil.copytree(runtime, release / "penstock_runtime", ignore=shutil.ignore_patterns("__pycache__"))
    shard = {"format": 1, "project": "acme", "environment": "dev", "prefix": "acme-dev"}
    (release / "shards").mkdir()
    (release / "shards" / "07.json").write_text(json.dumps({**shard, "schedules": [asdict(one) for one in schedules]}))
    prefix = folder / "acme-dev"
    if resources is not None:
        (prefix / "resources.json").write_text(json.dumps(asdict(resources)))
    loader = (ROOT / "dags" / "schedules.py").read_text()
    for name, value in (("RELEASE", RELEASE), ("SHARD", "07")):
        assert loader.count(f'\n{name} = ""\n') == 1
        loader = loader.replace(f'\n{name} = ""\n', f'\n{name} = "{value}"\n')
    (prefix / "schedules_07.py").write_text(loader)
    (prefix / ".airflowignore").write_text("release/\n")
    return folder
