"""On the rules of the fault proxy: which calls they take, and what is wrong with a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.local.faults.calls import Call
from penstock.local.faults.file import Watched, from_text, read
from penstock.local.faults.injector import Injector
from penstock.local.faults.rules import Faults, Origin
from penstock_runtime.errors import InputError, InputErrors

RUN, STOP, GET = Call("ecs", "RunTask"), Call("ecs", "StopTask"), Call("s3", "GetObject")


def injector(*rules: dict[str, Any], **top: Any) -> Injector:
    """An injector with these rules, as a file would have them."""
    return Injector(from_text(json.dumps({"faults": rules, **top}), "faults.yaml"))


def taken(found: Injector, call: Call, times: int, origin: Origin = "airflow") -> str:
    """What becomes of a call made several times: a letter of its fault each, or a dot."""
    rules = [found.take(call, origin) for _ in range(times)]
    return "".join(rule.fault[0] if rule else "." for rule in rules)


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [
        ("ecs:RunTask", {RUN}),
        ("ecs:*", {RUN, STOP}),
        ("*", {RUN, STOP, GET}),
        ("s3:GetObject", {GET}),
    ],
)
def test_rule_takes_the_calls_that_it_names(pattern: str, hit: set[Call]) -> None:
    """One operation, all of a service, or everything."""
    playing = injector({"call": pattern, "fault": "lost"})

    assert {call for call in (RUN, STOP, GET) if playing.take(call, "tasks")} == hit


def test_service_may_have_the_name_that_iam_knows() -> None:
    """`airflow:GetEnvironment` is what a policy says, `mwaa` what boto3 says."""
    playing = injector({"call": "airflow:GetEnvironment", "fault": "lost"})

    assert taken(playing, Call("mwaa", "GetEnvironment"), 1) == "l"


def test_first_calls_pass_and_then_a_number_is_hit() -> None:
    """`after` counts matching calls only, whoever makes others between them."""
    playing = injector({"call": "ecs:RunTask", "fault": "lost", "after": 2, "count": 3})

    assert taken(playing, RUN, 1) + taken(playing, STOP, 2) + taken(playing, RUN, 6) == "." + ".." + ".lll.."


def test_first_rule_that_takes_a_call_decides() -> None:
    """The one behind it gets what is left, and counts from there."""
    playing = injector(
        {"call": "ecs:RunTask", "fault": "lost", "count": 2},
        {"call": "ecs:*", "fault": "refused", "after": 1},
    )

    assert taken(playing, RUN, 5) == "ll.rr"


def test_rule_may_ask_for_a_text_in_the_body() -> None:
    """One run's calls are hit, and everybody else's pass and do not count."""
    playing = injector({"call": "ecs:*", "fault": "lost", "containing": "penstock/daily/", "count": 1})

    assert playing.reads(RUN, "airflow")
    assert not playing.reads(GET, "airflow")
    assert playing.take(RUN, "airflow", b'{"startedBy": "penstock/weekly/load"}') is None
    assert playing.take(RUN, "airflow") is None
    assert playing.take(RUN, "airflow", b'{"startedBy": "penstock/daily/load"}') is not None
    assert playing.counts()["rules"][0]["seen"] == 1


def test_rule_that_lasts_ends_so_long_after_its_first_call() -> None:
    """Not after its start: nobody knows when the first call will come."""
    faults = from_text(json.dumps({"faults": [{"call": "ecs:RunTask", "fault": "lost", "lasting": 20}]}), "faults.yaml")
    playing = Injector(faults, clock=iter((500.0, 510.0, 520.0, 520.1, 900.0)).__next__)

    assert [playing.take(RUN, "airflow") is not None for _ in range(5)] == [True, True, True, False, False]


def test_rules_that_are_added_leave_the_others_counting() -> None:
    """They come behind those that hold, whose number of hits is used up as before."""
    playing = injector({"call": "ecs:RunTask", "fault": "lost", "count": 2})
    assert taken(playing, RUN, 1) == "l"

    playing.add(from_text(json.dumps({"faults": [{"call": "ecs:*", "fault": "refused"}]}), "rules"))

    assert taken(playing, RUN, 2) == "lr"
    assert [rule["hits"] for rule in playing.counts()["rules"]] == [2, 1]


def test_origin_of_a_call_counts() -> None:
    """A rule for the tasks lets Airflow's calls pass, and does not count them."""
    playing = injector({"call": "*", "from": "tasks", "fault": "lost", "count": 1})

    assert taken(playing, RUN, 3) == "..."
    assert taken(playing, RUN, 2, "tasks") == "l."


def test_chance_is_repeatable_with_a_seed() -> None:
    """The same calls are hit each time, and calls that a rule does not match change nothing."""
    rule = {"call": "ecs:RunTask", "fault": "lost", "chance": 0.3}
    first, second = injector(rule, seed=7), injector(rule, seed=7)
    one = taken(first, RUN, 200)
    other = "".join(taken(second, STOP, 1)[:0] + taken(second, RUN, 1) for _ in range(200))

    assert one == other
    assert 30 < one.count("l") < 90
    assert one != taken(injector(rule, seed=8), RUN, 200)


def test_rules_with_a_seed_do_not_follow_each_other() -> None:
    """Two rules of the same chance hit different calls."""
    rules = [{"call": call, "fault": "lost", "chance": 0.5} for call in ("ecs:RunTask", "ecs:StopTask")]
    playing = injector(*rules, seed=7)

    assert taken(playing, RUN, 64) != taken(playing, STOP, 64)


def test_counts_of_calls_and_hits() -> None:
    """Every call is counted, by origin too; of rules what they matched and hit."""
    playing = injector({"call": "ecs:RunTask", "from": "airflow", "fault": "late", "seconds": 2, "after": 1})
    taken(playing, RUN, 3)
    taken(playing, GET, 2, "tasks")

    counts = playing.counts()

    assert counts["calls"] == {"ecs:RunTask": 3, "s3:GetObject": 2}
    assert counts["from"] == {"airflow": {"ecs:RunTask": 3}, "tasks": {"s3:GetObject": 2}}
    rule = {"call": "ecs:RunTask", "from": "airflow", "fault": "late", "seconds": 2, "after": 1}
    assert counts["rules"] == [{"rule": rule, "seen": 3, "hits": 2}]


def test_other_rules_count_from_nothing() -> None:
    """Counts belong to the rules that hold."""
    playing = injector({"call": "*", "fault": "lost"})
    taken(playing, RUN, 3)

    playing.replace(Faults())

    assert playing.counts() == {"calls": {}, "from": {}, "rules": []}


MISTAKES = [
    ("faults: [{call: ecs:RunTask, fault: slow}]", "1:37", "must be 'late'", "use 'late'"),
    ("faults: [{call: ecs:RunTask}]", "1:10", "'fault' is missing", "add `fault: …`"),
    ("faults: [{call: RunTask, fault: lost}]", "1:17", "must be service:Operation", "ecs:RunTask"),
    ("faults: [{call: ecs:RunTasc, fault: lost}]", "1:17", "no operation 'RunTasc'", "did you mean 'RunTask'?"),
    ("faults: [{call: ecss:RunTask, fault: lost}]", "1:17", "'ecss' is not a service", "did you mean 'ecs'?"),
    ("faults: [{call: dynamodb:GetItem, fault: lost}]", "1:17", "'dynamodb' is not a service", "use one of"),
    ("faults: [{call: s3:*, fault: late}]", "1:30", "'late' needs 'seconds'", "add seconds: 20"),
    ("faults: [{call: s3:*, fault: silent}]", "1:30", "'silent' needs 'seconds'", "add seconds: 20"),
    ("faults: [{call: s3:*, fault: lost, seconds: 3}]", "1:36", "'seconds' has no effect", "late or silent"),
    ("faults: [{call: s3:*, fault: lost, code: X}]", "1:36", "'code' has no effect", "write fault: error"),
    ("faults: [{call: s3:*, fault: throttled, hidden: true}]", "1:41", "on ecs:RunTask only", "call: ecs:RunTask"),
    ("faults: [{call: ecs:RunTask, fault: lost, body: x}]", "1:43", "'body' has no effect", "write fault: answered"),
    ("faults: [{call: ecs:RunTask, fault: answered}]", "1:37", "'answered' needs 'body'", "add body: "),
    ("faults: [{call: ecs:RunTask, fault: error, hidden: true}]", "1:44", "'hidden' has no effect", "throttled"),
    ("faults: [{call: s3:*, fault: lost, chance: 1.5}]", "1:44", "must be at most 1", "at most 1"),
    ("faults: [{call: s3:*, fault: lost, count: 0}]", "1:43", "must be at least 1", "at least 1"),
    ("faults: [{call: s3:*, fault: error, status: 200}]", "1:45", "must be at least 400", "at least 400"),
    ("faults: [{call: s3:*, fault: lost, from: worker}]", "1:42", "must be 'airflow'", "use 'airflow'"),
    ("faults: [{call: s3:*, fault: lost, from: desk}]", "1:42", "no call from the desk", "add desk: true"),
    ("fault: []", "1:1", "unknown key 'fault'", "did you mean 'faults'?"),
    ("faults:\n- call: s3:*\n  fault: lost\n  afer: 1", "4:3", "unknown key 'afer'", "did you mean 'after'?"),
    ("- call: s3:*", "1:1", "must be a mapping", "write a mapping"),
    ("", "1:1", "is empty", "write a mapping"),
    ("faults: [", "1:10", "not YAML", "correct the syntax"),
]


@pytest.mark.parametrize(("text", "place", "what", "fix"), MISTAKES)
def test_mistake_is_named_with_its_place(text: str, place: str, what: str, fix: str) -> None:
    """Each is an error with file, line, column and what to write."""
    with pytest.raises(InputError) as caught:
        from_text(text, "faults.yaml")

    error = caught.value
    assert error.where == f"faults.yaml:{place}"
    assert what in error.what
    assert fix in error.fix


def test_all_mistakes_are_reported_together() -> None:
    """One pass finds them all."""
    with pytest.raises(InputErrors) as caught:
        from_text("faults:\n- {call: ecs:Run, fault: late}\n- {call: x:Y, fault: lost}\n", "faults.yaml")

    assert [error.where for error in caught.value.errors] == [
        "faults.yaml:2:10", "faults.yaml:2:26", "faults.yaml:3:10",
    ]  # fmt: skip


def test_desk_is_named_where_it_goes_through() -> None:
    """With `desk: true` a rule may be for the commands."""
    playing = injector({"call": "*", "from": "desk", "fault": "lost"}, desk=True)

    assert taken(playing, RUN, 1, "desk") == "l"


class Seen:
    """What a watched file gave and said."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.lines = path, list[str]()
        self.faults = Faults()
        self.stamp = 0
        self.write(text)
        self.watched = Watched(path, self._take, self.lines.append)

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self.stamp += 1
        os.utime(self.path, ns=(self.stamp, self.stamp))

    def _take(self, faults: Faults) -> None:
        self.faults = faults


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    """Its rules hold from then on; a file that has not changed leaves those alone that hold."""
    seen = Seen(tmp_path / "faults.yaml", "faults: [{call: s3:*, fault: lost}]")
    first = seen.faults
    seen.watched.look()
    assert seen.faults is first

    seen.write("faults: [{call: s3:*, fault: cut}]")
    seen.watched.look()

    assert [rule.fault for rule in seen.faults.faults] == ["cut"]
    assert "1 rules" in seen.lines[-1]


@pytest.mark.parametrize("text", ["faults: [{call: s3:*, fault: gone}]", "faults: [", None])
def test_broken_file_keeps_the_rules(tmp_path: Path, text: str | None) -> None:
    """It says what is wrong, once; a mended file counts."""
    seen = Seen(tmp_path / "faults.yaml", "faults: [{call: s3:*, fault: lost}]")
    if text is None:
        seen.path.unlink()
    else:
        seen.write(text)
    seen.watched.look()
    seen.watched.look()

    assert [rule.fault for rule in seen.faults.faults] == ["lost"]
    assert len(seen.lines) == 1
    assert "the rules from before still hold" in seen.lines[0]
    assert str(seen.path) in (seen.watched.problem or "")

    seen.write("faults: [{call: s3:*, fault: cut}]")
    seen.watched.look()

    assert seen.watched.problem is None
    assert [rule.fault for rule in seen.faults.faults] == ["cut"]


def test_file_that_is_wrong_at_the_start_is_refused(tmp_path: Path) -> None:
    """Nothing is started with it."""
    file = tmp_path / "faults.yaml"
    file.write_text("faults: [{call: s3:*}]")

    with pytest.raises(InputError):
        read(file)
    with pytest.raises(InputError):
        read(tmp_path / "missing.yaml")
