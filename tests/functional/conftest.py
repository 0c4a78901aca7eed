"""The embedded system that the tests of the real path share: the sample project, brought up and run once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.embedded_system import EmbeddedSystem, copy_sample


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSystem]:
    """A copy of the sample project that is up and has run once, by the commands that a user types."""
    folder = tmp_path_factory.mktemp("sample")
    copy_sample(folder)
    found = EmbeddedSystem(folder)
    try:
        found.first_run = found.run("flights", "--up")
        yield found
    finally:
        found.cli("down", check=False)
