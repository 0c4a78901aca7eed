"""Whatever someone types, the answer is an error that says where: never a traceback, never a long wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.project.mutations import AT_ONCE, MUTATIONS, SAMPLE, refused


@pytest.mark.parametrize("name", SAMPLE)
def test_none_of_many_mutations_escapes_as_anything_but_an_input_error(name: str, tmp_path: Path) -> None:
    """Each mutated sample compiles, or is refused with a place that is there, and a fix."""
    left = range(AT_ONCE, MUTATIONS)

    assert len(left) / 4 < refused(name, left, tmp_path) < len(left)
