"""One synth for all tests that only read the templates: it takes seconds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks import plans

Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of `plans.PLAN`, by stack name."""
    return plans.synthesize(plans.PLAN, tmp_path_factory.mktemp("plan"))
