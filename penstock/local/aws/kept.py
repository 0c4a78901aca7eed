"""What outlives the server: of each Fargate task its last record and its log, as files of the server's state folder.

CloudWatch keeps a log when the task, its cluster and its account's session are long gone. The server's own CloudWatch
ends with its process; nobody should lose a log to that.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = "tasks-kept"
_told = logging.getLogger(__name__)


def write(state: Path, record: dict[str, Any]) -> None:
    """Keep a task's record, as DescribeTasks shows it, in place of an earlier one."""
    file = _file(state, record["taskArn"], "json")
    new = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(record))
        new.replace(file)
    except OSError as error:  # a full disk is not a reason to lose the task itself
        _told.warning("the record of a task is not kept: %s", error)


def add_line(state: Path, arn: str, line: str) -> None:
    """Add a line to the task's log."""
    try:
        with _file(state, arn, "log").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        _told.warning("a log line of a task is not kept: %s", error)


def records(state: Path) -> Iterator[dict[str, Any]]:
    """The last records of all tasks, in no order. Times are seconds since the epoch."""
    for file in (state / FOLDER).glob("*.json"):
        yield json.loads(file.read_text())


def log(state: Path, arn: str) -> list[str]:
    """A task's log, line by line; empty where it wrote none."""
    try:
        return _file(state, arn, "log").read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []


def _file(state: Path, arn: str, kind: str) -> Path:
    return state / FOLDER / f"{arn.rsplit('/', 1)[-1]}.{kind}"
