"""Two plans compared: schedules, tasks and DAG files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.diff import plans
from penstock_runtime.plan.plan import Plan
from tests.unit.diff.diff_states import small_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("project"))


def test_the_same_plan_has_no_changes(plan: Plan) -> None:
    assert plans.compare(plans.as_data(plan), plans.as_data(plan)) == []
    assert plans.dag_files(plans.as_data(plan), plans.as_data(plan)) == []


def test_each_field_is_told_by_its_path(plan: Plan) -> None:
    """Sizes, environment variables one by one, tasks that come and go, the interval."""
    (schedule,) = plan.schedules
    before = plans.as_data(plan)
    task = replace(schedule.tasks[0], memory_mib=4096, environment={"A": "1"}, config="f" * 64)
    other = replace(schedule, cron="5 4 * * *", source="something else", tasks=(task,))
    (change,) = plans.compare(before, plans.as_data(replace(plan, schedules=(other,))))

    assert change.kind == "changed"
    lines = {str(field) for field in change.fields}
    assert "interval: 0 3 * * * → 5 4 * * *" in lines
    assert "tasks.load.memory_mib: 1024 → 4096" in lines
    assert "tasks.load.environment.A: nothing → 1" in lines
    assert "tasks.load.workflow file changed" in lines
    assert any(one.startswith("tasks.catalogue: openmetadata metadata, 512 CPU units") for one in lines)
    assert not any("source" in one for one in lines)


def test_an_interval_of_minutes_and_the_plan_of_an_older_version(plan: Plan) -> None:
    """Both kinds of interval are one field. A delay that was told in minutes, and is the same, is not a change."""
    (schedule,) = plan.schedules
    before = plans.as_data(plan)
    other = replace(schedule, cron=None, every_minutes=90)
    (change,) = plans.compare(before, plans.as_data(replace(plan, schedules=(other,))))
    data = before["schedules"][0]
    older = {name: value for name, value in data.items() if name not in ("every_minutes", "retry_delay_seconds")}
    older["retry_delay_minutes"] = data["retry_delay_seconds"] // 60

    assert [str(field) for field in change.fields] == ["interval: 0 3 * * * → every 90 minutes"]
    assert plans.compare({**before, "schedules": [older]}, before) == []


def test_schedules_and_files_come_and_go(plan: Plan) -> None:
    """Against nothing, all is new; a plan of another version, with other fields, can be compared."""
    data = plans.as_data(plan)
    (added,) = plans.compare(None, data)
    (removed,) = plans.compare(data, {**data, "schedules": []})
    future = {**data, "schedules": [{**data["schedules"][0], "sla": 5}], "more": {}}
    (other,) = plans.compare(future, data)

    assert (added.kind, added.dag_id, added.note) == ("added", "daily", "0 3 * * * Europe/Berlin; load, catalogue")
    assert (removed.kind, removed.dag_id) == ("removed", "daily")
    assert [str(field) for field in other.fields] == ["sla: 5 → nothing"]
    assert plans.dag_files(data, {**data, "dag_files": [{"path": "two.py", "text": ""}]}) == [
        ("removed", "own.py"), ("added", "two.py")
    ]  # fmt: skip
