"""`memory_mib: {start: …, max: …}`: what a retry has after a try that ran out of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from tests.unit.project_files import errors, loaded, write

LOAD = "- {name: load, "
SIZES = {
    "doubled": ("cpu_units: 1024, memory_mib: {start: 2048, max: 8192}", (2048, 4096, 8192)),
    "to what is left": ("cpu_units: 1024, memory_mib: {start: 2048, max: 5120}", (2048, 4096, 5120)),
    "to the next offered": (
        "cpu_units: 8192, memory_mib: {start: 20480, max: 61440}",
        (20480, 40960, 61440),
    ),
    "one number": ("memory_mib: 2048", (2048,)),
}
MISTAKES = {
    "max is not offered": (
        "memory_mib: {start: 1024, max: 8192}",
        "512 CPU units with 8192 MiB",
        "set cpu_units: 1024",
    ),
    "start is not offered": ("memory_mib: {start: 100, max: 2048}", "512 CPU units with 100 MiB", "use 1024 to 4096"),
    "no growth": ("memory_mib: {start: 2048, max: 2048}", "cannot grow from 2048 to 2048 MiB", "one number"),
    "an unknown key": ("memory_mib: {start: 2048, most: 4096}", "'max' is missing", "add `max: …`"),
    "a text": ("memory_mib: lots", "'memory_mib' of task 'load' must be a whole number or a mapping", "write"),
}


@pytest.mark.parametrize(("text", "sizes"), SIZES.values(), ids=SIZES)
def test_sizes(tmp_path: Path, text: str, sizes: tuple[int, ...]) -> None:
    """Each step doubles, in sizes that Fargate offers, up to the largest."""
    task = compile_plan(loaded(tmp_path, (LOAD, f"{LOAD}{text}, "))).schedules[0].tasks[0]

    assert (task.memory_mib, *task.larger_memory_mib) == sizes


@pytest.mark.parametrize(("text", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named(tmp_path: Path, text: str, what: str, fix: str) -> None:
    """With its line and what to write."""
    where, said, advice = errors(write(tmp_path, (LOAD, f"{LOAD}{text}, ")))[0]

    assert where.startswith("penstock.yaml:")
    assert what in said
    assert fix in advice
    assert advice
