"""How pytest-xdist shares the tests out: a whole module, or what shares a system, to one worker; the longest first."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
GROUPS = {
    "functional/test_push.py": "live_project",
    "functional/test_diff_and_protection.py": "live_project",
}
"""Modules that share a session fixture: it is made once where one worker runs them all."""
SYNTHS = ("stacks", "golden")
"""Folders whose tests synthesize in their own process: each process loads the CDK, which takes seconds and 700 MB."""
APART = ("stacks/test_app.py", "golden/test_judges.py")
"""Modules of these folders that only start other processes."""
LONGEST = (
    "live_project",
    "synth",
)
"""The groups that take longest, first of all: a long one that starts late would run on alone at the end."""


def group(path: Path) -> str:
    """The group of a test module: the tests of a group run in one worker, in the order in which they are written."""
    name = path.relative_to(HERE).as_posix()
    if name.startswith(SYNTHS) and name not in APART:
        return "synth"
    return GROUPS.get(name, name.removesuffix(".py"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Name the groups and sort them, in a worker that takes groups; alone, pytest keeps its own order."""
    if not hasattr(config, "workerinput") or not config.getvalue("loadgroup"):
        return
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(group(item.path), len(LONGEST)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item.path)))
