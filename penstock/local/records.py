"""What an instance keeps of the runs that it was asked for, and how it is removed in the end."""

from __future__ import annotations

import json

from penstock.local import files, postgres
from penstock.local.instance import Instance
from penstock.local.run import RunResult, TaskResult
from penstock.local.warehouse import TableCount


def keep(instance: Instance, result: RunResult) -> None:
    """Write the result of a run that has ended."""
    # A run id of Airflow holds colons and plus signs, which some file systems refuse.
    name = f"{len(list((instance.folder / 'runs').glob('*.json'))):06}.json"
    files.write(instance.folder / "runs" / name, json.dumps(result.data(), indent=2))


def read(instance: Instance) -> list[RunResult]:
    """The results of all runs, the oldest first."""
    results = []
    for file in sorted((instance.folder / "runs").glob("*.json")):
        data = json.loads(file.read_text())
        del data["succeeded"]
        data["tasks"] = tuple(TaskResult(**one) for one in data["tasks"])
        data["tables"] = tuple(TableCount(**one) for one in data["tables"])
        results.append(RunResult(**data))
    return results


def remove(instance: Instance) -> None:
    """Delete everything that the instance has on disk; its processes must have ended."""
    postgres.remove(instance.folder / "postgres")
    instance.remove()
