"""How pytest-xdist shares the tests out, with `--dist loadgroup`: the tests of a group go to one worker, in order.

A group is a module, or the modules that share what takes long to make. The longest groups start first.
"""

from __future__ import annotations

import gc

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# A busy machine makes no test fail. What must not take long is held elsewhere, by work that is counted.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

LIVE = ("tests/functional/test_push.py", "tests/functional/test_diff_and_protection.py")
"""Modules that share one deployed project."""
SYNTHS = ("tests/stacks/", "tests/golden/")
"""Folders whose tests synthesize in their own process: where one worker runs them all, only one CDK fills memory."""
APART = ("tests/stacks/test_app.py", "tests/golden/test_judges.py")
"""Modules of these folders that start other processes instead."""
LONGEST = (
    "live project",
    "tests/functional/test_faults_deferrable.py",
    "tests/functional/test_faults_sync.py",
    "tests/functional/test_trouble.py",
    "tests/functional/test_airflow_2.py",
    "tests/functional/test_real_path.py",
    "tests/functional/test_trouble_at_start.py",
    "synth",
    "tests/functional/test_embedded_mwaa.py",
    "tests/functional/test_airflow_existing_up.py",
    "tests/functional/test_workflow_types.py",
    "tests/functional/test_engines.py",
    "tests/functional/test_masking.py",
    "tests/functional/test_optional_permissions.py",
    "tests/stacks/test_app.py",
    "tests/functional/test_slim_image_run.py",
    "tests/functional/test_permissions.py",
    "tests/functional/test_airflow_use.py",
    "tests/functional/test_soak.py",
    "tests/functional/test_embedded_network.py",
    "tests/dags/test_schedules.py",
    "tests/dags/test_operator.py",
    "tests/dags/test_bundle.py",
    "tests/functional/test_workflow_trouble.py",
    "tests/functional/test_catalogue_trouble.py",
    "tests/functional/test_embedded_cdk.py",
    "tests/functional/test_deploy_settings.py",
    "tests/golden/test_judges.py",
)
"""A long group that starts late would run on alone at the end."""


def group(module: str) -> str:
    """The group of a test module."""
    if module in LIVE:
        return "live project"
    return "synth" if module.startswith(SYNTHS) and module not in APART else module


class Groups(LoadScopeScheduling):
    """Hands out whole groups."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid.partition("::")[0])


def pytest_collection_finish() -> None:
    """Modules and tests live to the end: the garbage collector need not visit them all, again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Groups where they are asked for; what the command line names otherwise."""
    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest groups first, in a worker that takes groups; pytest alone keeps its own order."""
    if getattr(config.option, "loadgroup", False):
        ranks = {name: rank for rank, name in enumerate(LONGEST)}
        items.sort(key=lambda item: ranks.get(group(item.nodeid.partition("::")[0]), len(LONGEST)))
