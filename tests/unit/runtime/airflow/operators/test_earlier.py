"""What a try makes of the tasks that earlier tries left."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from penstock_runtime import contract
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.airflow.operators.earlier import decide, facts_of, variable

RUN = AirflowRun(
    "daily", "manual__1", "load", -1, try_number=3, first_try=2, run_started="2026-11-21", clear_number=1, max_tries=3
)
STATES: dict[str, dict[str, Any]] = {
    "running": {"lastStatus": "RUNNING", "desiredStatus": "RUNNING"},
    "pending": {"lastStatus": "PROVISIONING", "desiredStatus": "RUNNING"},
    "stopping": {"lastStatus": "DEACTIVATING", "desiredStatus": "STOPPED"},
    "ended": {"lastStatus": "STOPPED", "desiredStatus": "STOPPED"},
}


def task(state: str, *, code: int | None = None, number: int = 2, created: float = 1.0, **facts: Any) -> dict[str, Any]:
    """A task of the try `number`."""
    run = {"try": number, "run_started": RUN.run_started, "clear_number": RUN.clear_number, **facts}
    environment = [{"name": contract.RUN, "value": json.dumps(run)}]
    container = {"name": contract.CONTAINER_NAME} | ({} if code is None else {"exitCode": code})
    return {
        "taskArn": f"{state}-{number}-{created}",
        "createdAt": created,
        "containers": [container],
        "overrides": {"containerOverrides": [{"name": contract.CONTAINER_NAME, "environment": environment}]},
        **STATES[state],
    }


CASES: dict[str, tuple[list[dict[str, Any]], tuple[str | None, str | None, list[str], list[str]]]] = {
    "nothing": ([], (None, None, [], [])),
    "running": ([task("running")], ("running-2-1.0", None, [], [])),
    "not yet running": ([task("pending")], ("pending-2-1.0", None, [], [])),
    "of the same try": ([task("running", number=3)], ("running-3-1.0", None, [], [])),
    "succeeded": ([task("ended", code=0)], (None, "ended-2-1.0", [], [])),
    "failed": ([task("ended", code=1)], (None, None, [], [])),
    "without an exit code": ([task("ended")], (None, None, [], [])),
    "never started": ([{**task("ended", code=0), "stopCode": "TaskFailedToStart"}], (None, None, [], [])),
    "stopping": ([task("stopping")], (None, None, [], ["stopping-2-1.0"])),
    "running before a clear": ([task("running", number=1)], (None, None, ["running-1-1.0"], ["running-1-1.0"])),
    "succeeded before a clear": ([task("ended", code=0, number=1)], (None, None, [], [])),
    "of a deleted run": ([task("ended", code=0, run_started="2026-11-20")], (None, None, [], [])),
    "running, of a deleted run": (
        [task("running", run_started="2026-11-20")],
        (None, None, ["running-2-1.0"], ["running-2-1.0"]),
    ),
    "another task of the run was cleared": (
        [task("running", run_started="2026-11-20", clear_number=0)],
        ("running-2-1.0", None, [], []),
    ),
    "two running": (
        [task("running"), task("running", created=2.0)],
        ("running-2-2.0", None, ["running-2-1.0"], []),
    ),
    "succeeded before a clear, with other retries": ([task("ended", code=0, max_tries=1)], (None, None, [], [])),
    "running, and retries were lowered": (
        [task("running", number=1, max_tries=3)],
        ("running-1-1.0", None, [], []),
    ),
    "of a deleted run that was cleared": ([task("ended", code=0, clear_number=2)], (None, None, [], [])),
    "of a later try of a deleted run": ([task("ended", code=0, number=4)], (None, None, [], [])),
    "failed, then succeeded": (
        [task("ended", code=1), task("ended", code=0, created=2.0)],
        (None, "ended-2-2.0", [], []),
    ),
}


@pytest.mark.parametrize(("tasks", "wanted"), CASES.values(), ids=CASES)
def test_decision(tasks: list[dict[str, Any]], wanted: tuple[str | None, str | None, list[str], list[str]]) -> None:
    """What is adopted, whose result is taken, what is stopped, and what must have stopped before another starts."""
    decision = decide(tasks, RUN, reattach=True)

    adopted, taken = (one["taskArn"] if one else None for one in (decision.adopt, decision.take))
    stopped, waited = ([one["taskArn"] for one in some] for some in (decision.stop, decision.wait_for))
    assert (adopted, taken, stopped, waited) == wanted


def test_without_reattach_a_running_one_is_stopped() -> None:
    """And a result is taken all the same."""
    decision = decide([task("running")], RUN, reattach=False)
    assert (decision.adopt, len(decision.stop), len(decision.wait_for)) == (None, 1, 1)
    assert decide([task("ended", code=0)], RUN, reattach=False).take


def test_a_task_that_does_not_say_its_try_counts() -> None:
    """Better adopted than doubled."""
    silent = {**task("running"), "overrides": {}}

    assert (
        decide([silent], dataclasses.replace(RUN, run_started="", clear_number=0, max_tries=None), reattach=True).adopt
        is silent
    )


@pytest.mark.parametrize("value", ["", "[]", "{", "null"])
def test_facts_of_a_strange_task_are_empty(value: str) -> None:
    """Somebody may have written the variable by hand."""
    strange = task("running")
    strange["overrides"]["containerOverrides"][0]["environment"] = [{"name": contract.RUN, "value": value}]

    assert facts_of(strange) == {}
    assert variable(strange, "OTHER") is None
