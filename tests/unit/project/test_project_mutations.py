"""Whatever someone types, the answer is an error that says where: never a traceback, never a long wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.project.mutations import AT_ONCE, SAMPLE, refused


@pytest.mark.parametrize("name", SAMPLE)
def test_no_mutation_of_the_sample_escapes_as_anything_but_an_input_error(name: str, tmp_path: Path) -> None:
    """Each mutated sample compiles, or is refused with a place that is there, and a fix."""
    assert AT_ONCE / 4 < refused(name, range(AT_ONCE), tmp_path) < AT_ONCE
