"""`observability:` of the project file: what is wrong with it, and what the plan makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.jobs.interval import longest_gap_minutes
from penstock_runtime.errors import InputError
from penstock_runtime.plan.observability import Alarms
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import errors, loaded, write

REGION = "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:111122223333:pagers"
KEY = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def observed(text: str) -> tuple[str, str]:
    return "schedules:", f"observability: {text}\nschedules:"


def compiled(folder: Path, *edits: tuple[str, str]) -> Plan:
    return compile_plan(loaded(folder, *edits))


MISTAKES = {
    # name: (text, what, fix); right behind ¦ is where the error points.
    "unknown key": ("{¦dashbord: true}", "unknown key 'dashbord'", "'dashboard'"),
    "text for a switch": ('{dashboard: ¦"no"}', "must be true or false", "without quotes"),
    "number for a switch": ("{stopped_tasks: ¦1}", "must be true or false", "true or false"),
    "no address": ("{email: [¦ops]}", "'ops' is not an e-mail address", "name@example.com"),
    "address twice": ("{email: [a@b.io, ¦a@b.io]}", "listed twice", "remove one"),
    "address of two": ('{email: [¦"a@b.io, c@d.io"]}', "is not an e-mail address", "name@example.com"),
    "dots and a dash": ("{email: [¦ü..@-.x]}", "is not an e-mail address for AWS", "name@example.com"),
    "quotes": ("{email: [¦'\"x\"@b.io']}", "it has quotes", "name@example.com"),
    "letters of a domain": ("{email: [¦ops@müller.de]}", "other letters than ASCII", "write ops@xn--mller-kva.de"),
    "one address, no list": ("{email: ¦a@b.io}", "must be a list", "a list"),
    "too many addresses": (
        "{email: ¦[" + ", ".join(f"a{n}@b.io" for n in range(21)) + "]}",
        "at most 20",
        "at most 20",
    ),
    "topic by name": ("{topic: ¦pagers}", "'pagers' is not the ARN of an SNS topic", "arn:aws:sns:"),
    "topic elsewhere": (f"{{topic: ¦{TOPIC.replace(REGION, 'us-east-1')}}}", "is in us-east-1", "one in eu-west-1"),
    "FIFO topic": (f"{{topic: ¦{TOPIC}.fifo}}", "FIFO", "standard topic"),
    "addresses for a topic of others": (
        f"{{topic: {TOPIC}, email: ¦[a@b.io]}}",
        "a topic that Penstock makes",
        "leave",
    ),
    "key for a topic of others": (f"{{topic: {TOPIC}, encryption: ¦none}}", "that Penstock makes", "remove it"),
    "key by alias": ("{encryption: ¦alias/x}", "'alias/x' is not the ARN of a KMS key", "create, none"),
    "key elsewhere": (f"{{encryption: ¦{KEY.replace(REGION, 'us-east-1')}}}", "is in us-east-1", "eu-west-1"),
    "switch for alarms": ("{alarms: ¦false}", "must be a mapping", "a mapping"),
    "fewer than none": ("{alarms: {failed_tasks: ¦-1}}", "must be at least 0", "at least 0"),
    "fraction of a task": ("{alarms: {out_of_memory: ¦1.5}}", "must be a whole number", "whole number"),
    "far too many": ("{alarms: {queued_tasks: ¦1000000}}", "must be at most 100000", "at most"),
    "odd minutes": ("{alarms: {scheduler_silent_minutes: ¦7}}", "not a multiple of 5", "5, 10"),
    "longer than a day": ("{alarms: {scheduler_silent_minutes: ¦1445}}", "must be at most 1440", "at most"),
    "unknown schedule": ("{alarms: {overdue: {¦dayly: 60}}}", "there is no schedule 'dayly'", "'daily'"),
    "grace in words": ('{alarms: {overdue: {daily: ¦"1h"}}}', "must be a whole number", "write a whole number"),
    "too much grace": ("{alarms: {overdue: {daily: ¦10081}}}", "must be at most 10080", "at most"),
    "price of nothing": ("{fargate_prices: {x86_64: {vcpu_hour: ¦0, gb_hour: 0.1}}}", "vcpu_hour", ""),
    "half a price": ("{fargate_prices: {x86_64: ¦{vcpu_hour: 0.1}}}", "'gb_hour' is missing", "add `gb_hour"),
    "price of another processor": ("{fargate_prices: {¦risc: {}}}", "unknown key 'risc'", "x86_64"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_error_with_its_place_and_fix(tmp_path: Path, name: str) -> None:
    text, what, fix = MISTAKES[name]
    edit = observed(text)
    # Of its two environments the project's second is elsewhere: an ARN fits one region.
    path = write(tmp_path, (edit[0], edit[1].replace("¦", "")), ("eu-central-1", REGION))
    marked = edit[1].partition("¦")[0]
    line = path.read_text().splitlines().index(edit[1].replace("¦", "").splitlines()[0]) + 1
    (problem,) = errors(path)

    assert problem[0] == f"penstock.yaml:{line}:{len(marked) + 1}"
    assert what in problem[1]
    assert fix in problem[2]


def test_an_arn_fits_the_region_of_each_environment_that_has_it(tmp_path: Path) -> None:
    """One topic for two regions is an error in the one that it is not in."""
    ((where, what, fix),) = errors(write(tmp_path, observed(f"{{topic: {TOPIC}}}")))

    assert (where, fix) == ("penstock.yaml:24:24", "name one in eu-central-1")
    assert what == "the SNS topic is in eu-west-1, the environment in eu-central-1"


def test_by_default_all_is_on(tmp_path: Path) -> None:
    observability = compiled(tmp_path).observability

    assert (observability.dashboard, observability.stopped_tasks, observability.email, observability.topic) == (
        True,
        True,
        (),
        None,
    )
    assert observability.encryption == "create"
    assert observability.alarms == Alarms(5, 2, 10, 15, 1, overdue=True)


def test_what_the_file_says_is_in_the_plan(tmp_path: Path) -> None:
    text = "{dashboard: false, email: [a@b.io], encryption: none, alarms: {failed_tasks: 0, queued_tasks: 3}}"
    observability = compiled(tmp_path, observed(text)).observability

    assert (observability.dashboard, observability.email, observability.encryption, observability.prices) == (
        False,
        ("a@b.io",),
        None,
        (),
    )
    assert (observability.alarms.failed_tasks, observability.alarms.queued_tasks) == (0, 3)


OFF = "failed_tasks: 0, out_of_memory: 0, queued_tasks: 0, scheduler_silent_minutes: 0, broken_dag_files: 0"
OFF = f"stopped_tasks: false, alarms: {{{OFF}, overdue_minutes: 0}}"


@pytest.mark.parametrize("to", ["email: ¦[a@b.io]", f"topic: ¦{TOPIC}"])
def test_addresses_that_never_hear_anything_are_warned_of(tmp_path: Path, to: str) -> None:
    """At their place, for the environment that has all turned off; a single thing that is on is enough."""
    text = f"{{{to.replace('¦', '')}, {OFF}}}"
    silent = compiled(tmp_path, observed(text), ("eu-central-1", REGION))
    loud = [
        compiled(tmp_path / one.split(":")[0], observed(text.replace(one, on)), ("eu-central-1", REGION))
        for one, on in [
            ("stopped_tasks: false", "stopped_tasks: true"),
            ("failed_tasks: 0", "failed_tasks: 1"),
            ("out_of_memory: 0", "out_of_memory: 1"),
            ("queued_tasks: 0", "queued_tasks: 1"),
            ("scheduler_silent_minutes: 0", "scheduler_silent_minutes: 5"),
            ("broken_dag_files: 0", "broken_dag_files: 1"),
            ("overdue_minutes: 0", "overdue: {daily: 5}, overdue_minutes: 0"),
        ]
    ]

    column = len("observability: {") + to.index("¦") + 1
    assert silent.warnings == (
        f"penstock.yaml:24:{column}: nothing is ever sent here: stopped_tasks is false, and every alarm is off",
    )
    assert [plan.warnings for plan in loud] == [()] * 7


def test_alarms_of_mwaa_are_none_of_another_airflow(tmp_path: Path) -> None:
    """CloudWatch knows nothing of an Airflow that somebody runs on their own."""
    text = f"{{email: [a@b.io], {OFF.replace('queued_tasks: 0', 'queued_tasks: 1')}}}"
    own = ("airflow: {create: {version: 3.0.6, class: mw1.small}}", "airflow: {self_managed: {version: 3.0.6}}")

    assert "nothing is ever sent here" in "".join(compiled(tmp_path, observed(text), own).warnings)


def test_an_environment_sets_its_own(tmp_path: Path) -> None:
    edit = ("dev: {region: eu-west-1", "dev: {observability: {email: [dev@b.io]}, region: eu-west-1")

    assert compiled(tmp_path, edit, observed("{email: [a@b.io]}")).observability.email == ("dev@b.io",)


DAILY = 1440 + 60
"""A day, and an hour for the clock that is set back."""


@pytest.mark.parametrize(
    ("alarms", "schedule", "minutes"),
    [
        ("{}", "", DAILY + 120),
        ("{overdue_minutes: 30}", "", DAILY + 30),
        ("{overdue_minutes: 0}", "", None),
        ("{overdue: {daily: 5}}", "", DAILY + 5),
        ("{overdue: {daily: 0}}", "", None),
        ("{overdue_minutes: 0, overdue: {daily: 5}}", "", DAILY + 5),
        ("{}", "\n    paused: true", None),
        ("{overdue: {daily: 5}}", "\n    paused: true", DAILY + 5),
    ],
)
def test_a_schedule_is_overdue_after_its_longest_rest_and_some_grace(
    tmp_path: Path, alarms: str, schedule: str, minutes: int | None
) -> None:
    """All with an interval are watched that are not made paused; each may have its own grace, or none of all this."""
    cron = '"0 3 * * *"'
    plan = compiled(tmp_path, (cron, cron + schedule), observed(f"{{alarms: {alarms}}}"))

    assert {schedule.name: schedule.overdue_after_minutes for schedule in plan.schedules}["daily"] == minutes
    assert plan.observability.alarms.overdue is (alarms not in ("{overdue_minutes: 0}",))


def test_what_runs_by_hand_is_never_overdue(tmp_path: Path) -> None:
    """It is not watched by default; to ask for it is a mistake."""
    by_hand = ('"0 3 * * *"', '"@manual"')
    (tmp_path / "a").mkdir()
    plan = compiled(tmp_path / "a", by_hand)

    assert [schedule.overdue_after_minutes for schedule in plan.schedules if schedule.name == "daily"] == [None]
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="runs by hand only") as caught:
        compiled(tmp_path / "b", by_hand, observed("{alarms: {overdue: {daily: 5}}}"))
    assert caught.value.fix
    assert "penstock.yaml:" in caught.value.where


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [
        ("* * * * *", 1),
        ("*/15 * * * *", 15),
        ("7,50 * * * *", 43),
        ("0 3 * * *", 24 * 60),
        ("0 9-17 * * 1-5", 64 * 60),
        ("5 4 * * mon,thu", 4 * 24 * 60),
        ("0 0 * * 0", 7 * 24 * 60),
        ("0 0 31 * *", 61 * 24 * 60),
    ],
)
def test_the_longest_rest_of_a_schedule(cron: str, minutes: int) -> None:
    assert longest_gap_minutes(cron, "UTC") == minutes
    assert longest_gap_minutes(cron, "Europe/Berlin") == minutes + 60


@pytest.mark.parametrize(
    ("region", "setting", "known", "warned"),
    [
        ("eu-west-1", "{}", {"x86_64": 0.04048}, 0),
        ("ap-south-2", "{}", {}, 1),
        ("ap-south-2", "{fargate_prices: {x86_64: {vcpu_hour: 0.05, gb_hour: 0.006}}}", {"x86_64": 0.05}, 0),
        ("eu-west-1", "{fargate_prices: {x86_64: {vcpu_hour: 0.03, gb_hour: 0.006}}}", {"x86_64": 0.03}, 0),
        ("ap-south-2", "{dashboard: false}", {}, 0),
    ],
)
def test_a_price_that_is_not_known_is_a_warning(
    tmp_path: Path, region: str, setting: str, known: dict[str, Any], warned: int
) -> None:
    plan = compiled(tmp_path, ("region: eu-west-1", f"region: {region}"), observed(setting))

    assert {price.architecture: price.vcpu_hour for price in plan.observability.prices} == known
    assert sum("price of Fargate" in warning for warning in plan.warnings) == warned
