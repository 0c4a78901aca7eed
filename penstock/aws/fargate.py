"""How large a Fargate task may be.

Source of the table: AWS, Amazon ECS Developer Guide, "Task definition parameters for Fargate", "Task size" (2026-11).
"""

from __future__ import annotations

from collections.abc import Iterable

from penstock.problem import Problem

GIB = 1024

MEMORY_MIB: dict[int, tuple[int, ...]] = {
    256: (512, 1 * GIB, 2 * GIB),
    512: tuple(range(1 * GIB, 4 * GIB + 1, GIB)),
    1024: tuple(range(2 * GIB, 8 * GIB + 1, GIB)),
    2048: tuple(range(4 * GIB, 16 * GIB + 1, GIB)),
    4096: tuple(range(8 * GIB, 30 * GIB + 1, GIB)),
    8192: tuple(range(16 * GIB, 60 * GIB + 1, 4 * GIB)),
    16384: tuple(range(32 * GIB, 120 * GIB + 1, 8 * GIB)),
}
"""CPU units → the memory sizes, in MiB, that Fargate offers with them."""


def misfit(cpu_units: int, memory_mib: int) -> Problem | None:
    """What is wrong with a pair, and what to do about it; None where Fargate offers it."""
    memories = MEMORY_MIB.get(cpu_units)
    if memories is None:
        listed = ", ".join(map(str, MEMORY_MIB))
        return Problem(f"{cpu_units} CPU units, which Fargate does not offer", f"use one of: {listed}")
    if memory_mib in memories:
        return None
    fix = f"with {cpu_units} CPU units use {memories[0]} to {memories[-1]} MiB"
    if memories[0] < memory_mib < memories[-1]:
        fix += f", in steps of {memories[-1] - memories[-2]}"
    if fitting := [cpu for cpu, offered in MEMORY_MIB.items() if memory_mib in offered]:
        fix += f", or set cpu_units: {min(fitting, key=lambda cpu: abs(cpu - cpu_units))}"
    return Problem(f"{cpu_units} CPU units with {memory_mib} MiB, which Fargate does not offer", fix)


def covering(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The smallest pair that is as large as each of `pairs` in both."""
    wanted = list(pairs)
    cpu, memory = max(cpu for cpu, _ in wanted), max(memory for _, memory in wanted)
    return next(
        (units, size) for units, sizes in MEMORY_MIB.items() for size in sizes if units >= cpu and size >= memory
    )
