"""A row of the fault table, what is wanted of it, and what became of it. Tests import it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.functional.fault_table import Table


TRY_ENDED = "Server indicated the task shouldn't be running anymore"
"""In the log of a try that Airflow 3 ends."""


@dataclass(frozen=True)
class Wanted:
    """What is to become of a row, besides what is wanted of each: never two Fargate tasks at the same time, and none
    that is lost."""

    state: str = "success"
    tries: int = 1
    started: int = 1
    whole: bool = True
    """Every line of the command is in the log of the last try."""
    once: bool = True
    """No line is in that log twice. The try of a Fargate task that was interrupted has the log of the next one, too."""
    says: str = ""
    """In that log."""
    exits: tuple[int | None, ...] | None = None
    """Exit codes of its Fargate tasks, the oldest first; None: whatever they are."""
    stopped_for: str = ""
    """What ECS has as the reason of the last one's end."""
    quiet_seconds: float | None = None
    """How soon the Fargate task has stopped after what was done, by ECS's own times."""


@dataclass(frozen=True)
class Row:
    """A fault, and the run that it befalls."""

    name: str
    """Of the job, of its schedule, and so of the DAG."""
    starting: Sequence[Mapping[str, Any]] = ()
    """Rules about the calls that look for the run's Fargate task and start it."""
    watching: Sequence[Mapping[str, Any]] = ()
    """Rules about its first Fargate task, set as soon as that runs."""
    act: Callable[[Table, Play], None] | None = None
    """Something that somebody does, or that breaks."""
    act_on: str = "RUNNING"
    """When: with the first Fargate task in this state, or `known`."""
    act_after: float = 3.0
    """Seconds after that."""
    holds: bool = False
    """The command does not come to its last lines before `act` has ended."""
    within: Callable[[Table], AbstractContextManager[None]] | None = None
    """What holds from before its run to after it; for a row that is played alone."""
    seconds: float = 10.0
    """How long the command prints, before its last lines."""
    ends: str = ""
    """Python with which the command ends."""
    task: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the task."""
    schedule: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the schedule."""
    runs: int = 1
    wanted: Wanted = Wanted()


@dataclass
class Play:
    """A row that is being played."""

    row: Row
    run_ids: list[str]
    arns: dict[str, str] = field(default_factory=dict)
    """Of its Fargate tasks, with their last known status."""
    most_at_once: int = 0
    begun: bool = False
    """Airflow has started the process of its operator."""
    first_at: float | None = None
    watched: bool = False
    acting: Future[None] | None = None
    acted: bool = False
    """What was to be done has been done, or has failed."""
    acted_at: float | None = None
    """When it was done, in seconds since 1970."""
    quiet_at: float | None = None
    """Since when no Fargate task of it runs; None: one does."""
    ended_at: float | None = None

    def acts_now(self) -> None:
        """What was to be waited for before it is done has come."""
        self.acted_at = time.time()

    @property
    def run_id(self) -> str:
        """Of its first run."""
        return self.run_ids[0]


@dataclass(frozen=True)
class Report:
    """What became of a row."""

    states: tuple[str, ...]
    """Of its DAG runs."""
    tries: int
    """Of the Airflow task, in the last run."""
    started: int
    """Fargate tasks, of all its runs."""
    most_at_once: int
    """How many of these ran at the same time at most, by ECS's own times."""
    orphans: int
    """How many still run a minute after the run's end."""
    lost: tuple[int, ...]
    """Lines of the command that the log of the last try does not have."""
    doubled: tuple[int, ...]
    """Those that it has more than once."""
    quiet_after: float | None
    """Seconds from what was done to the end of the last Fargate task that was there; None: one still runs."""
    exits: tuple[int | None, ...]
    reasons: tuple[str, ...]
    """Of the Fargate tasks' ends, as ECS has them."""
    log: str
    """Of the last try."""
    logs: tuple[str, ...]
    """Of all of them."""
    error: str
    """Why what was to be done was not."""


def check(row: Row, report: Report) -> None:
    """Hold a row's report against what is wanted."""
    wanted = row.wanted
    # Where Airflow's scheduler is slow, it takes a deferred task that goes on for one that has died, ends its try, and
    # makes another: "finished with state success, but the task instance's state attribute is running".
    ended = 0 if row.act else sum(TRY_ENDED in log for log in report.logs[:-1])
    again = ended if wanted.state == "failed" else 0
    assert not report.error
    found = {
        "states": set(report.states),
        "tries": report.tries,
        "started": report.started,
        "orphans": report.orphans,
        "lost": report.lost if wanted.whole else (),
        "doubled": report.doubled if wanted.once else (),
    }
    assert found == {
        "states": {wanted.state},
        "tries": wanted.tries + ended,
        "started": wanted.started + again,
        "orphans": 0,
        "lost": (),
        "doubled": (),
    }, report.log[-4000:]
    assert report.most_at_once <= 1
    assert wanted.says in report.log, report.log[-4000:]
    assert wanted.exits in (None, report.exits)
    assert wanted.stopped_for in (report.reasons or ("",))[-1]
    if wanted.quiet_seconds is not None:
        assert report.quiet_after is not None
        assert report.quiet_after < wanted.quiet_seconds
