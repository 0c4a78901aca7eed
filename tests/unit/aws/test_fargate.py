"""Sizes that Fargate offers."""

from __future__ import annotations

import pytest

from penstock.aws import fargate

GIB = 1024


@pytest.mark.parametrize(
    ("cpu_units", "least", "most", "count"),
    [
        (256, 512, 2 * GIB, 3),
        (512, 1 * GIB, 4 * GIB, 4),
        (1024, 2 * GIB, 8 * GIB, 7),
        (2048, 4 * GIB, 16 * GIB, 13),
        (4096, 8 * GIB, 30 * GIB, 23),
        (8192, 16 * GIB, 60 * GIB, 12),
        (16384, 32 * GIB, 120 * GIB, 12),
    ],
)
def test_memory_that_goes_with_cpu(cpu_units: int, least: int, most: int, count: int) -> None:
    """Source: Amazon ECS Developer Guide, "Task size": steps of 1 GiB, of 4 from 8 vCPU on, of 8 with 16."""
    sizes = fargate.MEMORY_MIB[cpu_units]

    assert (sizes[0], sizes[-1], len(sizes)) == (least, most, count)
    assert list(sizes) == sorted(set(sizes))


def test_the_smallest_size_that_covers_all() -> None:
    """A task definition's own size is at least that of each task; RunTask then says less."""
    assert fargate.covering([(8192, 17 * GIB), (256, 512)]) == (8192, 20 * GIB)
    assert fargate.covering([(256, 512), (256, 3 * GIB)]) == (512, 3 * GIB)
