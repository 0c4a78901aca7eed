"""Files made to hurt: each is answered within two seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.document.problems import MOST
from penstock.project.load import load
from penstock_runtime.errors import InputError
from tests.unit.project_files import MELTANO, WORKFLOW, errors, write

HOST = "HOST: dev.acme.internal"
TASKS = "    tasks:\n"
COMMANDS = "".join(f"      - {{name: t{number}, command: ls}}\n" for number in range(490))
SCHEDULES = "schedules:\n"
DAILY = '  - {{name: s{}, job: warehouse, interval: "@daily"}}\n'

Edits = list[tuple[str, str]]
HURTING: dict[str, tuple[Edits, Mapping[str, str], str]] = {
    "a number of base 60 that grows": ([(HOST, "HOST: 1" + ":1" * 500_000)], {}, "is not a valid number"),
    "many unknown keys": (
        [("name: acme\n", "name: acme\n" + "".join(f"k{number}: 1\n" for number in range(40_000)))],
        {},
        "unknown key 'k0'",
    ),
    "many unknown jobs": (
        [(SCHEDULES, SCHEDULES + "".join(f"  - {{name: s{n}, job: j{n}, interval: x}}\n" for n in range(9_000)))],
        {},
        "names job 'j0'",
    ),
    "many environments": (
        [("environments:\n", "environments:\n" + "".join(f"  e{n}: {{region: eu-west-1}}\n" for n in range(20_000)))],
        {},
        "20002 environments are too many",
    ),
    "many tasks in a job": ([(TASKS, TASKS + COMMANDS * 20)], {}, "must have at most 500 entries"),
    "many tasks in all": (
        [
            (TASKS, TASKS + COMMANDS),
            (SCHEDULES, SCHEDULES + "".join(DAILY.format(n) for n in range(60))),
        ],
        {},
        "have more than 20000 tasks",
    ),
    "a long command": ([("tap-a target-b", "x" * 1_000_000)], {}, "is longer than 4096 characters"),
    "a long cron": ([('"0 3 * * *"', '"' + "1," * 500_000 + ' * * * *"')], {}, "is not a cron expression"),
    "a long time zone": ([("Europe/Berlin", "x" * 1_000_000)], {}, "unknown time zone"),
    "many literal secrets": ([], {"warehouse.yaml": WORKFLOW + "x:\n" + "- password: x\n" * 6_000}, "is a secret"),
    "a large workflow": ([], {"warehouse.yaml": WORKFLOW + "x:\n" + "- a: 1\n" * 60_000}, "more than 20000 values"),
}  # fmt: skip


BLOWN_UP_SECONDS = 60
"""CPU time on the slowest of machines: without its limit each of these takes minutes, or does not end."""


@pytest.mark.parametrize(("edits", "files", "what"), HURTING.values(), ids=HURTING)
def test_file_made_to_hurt_is_answered_at_once(
    tmp_path: Path, edits: Edits, files: Mapping[str, str], what: str
) -> None:
    """By an error that is short, too."""
    path = write(tmp_path, *edits, files=files)
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        compile_plan(load(path))

    assert what in caught.value.what
    assert time.process_time() - start < BLOWN_UP_SECONDS
    assert len(str(caught.value)) < 50_000


def test_a_long_command_of_meltanos_costs_its_schedule(tmp_path: Path) -> None:
    """Its warning is short, too."""
    job = f"jobs: [{{name: j, tasks: [{'x' * 1_000_000}]}}]\nschedules: [{{name: s, job: j, interval: '@daily'}}]\n"
    plan = compile_plan(load(write(tmp_path, files={"meltano/meltano.yml": MELTANO + job})))

    assert "is longer than 4096 characters" in plan.left_out[0]
    assert len(plan.left_out[0]) < 1000


def test_pass_stops_when_enough_is_wrong(tmp_path: Path) -> None:
    """Fifty errors are plenty to read."""
    keys = "".join(f"k{number}: 1\n" for number in range(200))

    assert len(errors(write(tmp_path, ("name: acme\n", "name: acme\n" + keys)))) == MOST
