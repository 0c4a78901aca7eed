"""The container's CloudWatch log, passed on to Airflow's task log: every line once, in order, the last ones too.

A read that fails or is throttled is repeated, and never taken for the end of the log.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from penstock_runtime.airflow.operators.ecs_calls import AWS_ERRORS, code_of
from penstock_runtime.contract import ENDED_BY
from penstock_runtime.diagnosis.diagnose import is_metric_line

READ_SECONDS = 5.0
"""Between two reads while lines come. GetLogEvents allows 25 calls a second for account and region (CloudWatch Logs
User Guide, "CloudWatch Logs quotas")."""
SLOWEST_SECONDS = 30.0
"""Between two reads of a log in which nothing comes, or that may not be read so often."""
PAGES = 20
"""Read at once; a page has up to 10,000 lines. The task itself is looked at in between."""
DRAIN_SECONDS = 30.0
"""After the task's end, from the last read that brought something: how long its last line may take. The log driver
sends every few seconds."""
TROUBLE_SECONDS = 120.0
"""The same, while reads fail."""
QUIET_READS = 3
"""So many reads without a line, one after the other, end a log whose last line is not known."""


def is_last_line(line: str) -> bool:
    """Whether it is the line with which Penstock's runtime ends a log; a program may write metrics of its own."""
    return is_metric_line(line) and f'"{ENDED_BY}"' in line


def end_in(lines: Sequence[str]) -> int | None:
    """The exit code that the last lines of a log tell; None: they tell none."""
    for line in reversed(lines):
        if is_last_line(line):
            try:
                code = json.loads(line).get("ExitCode")
            except ValueError:
                return None
            return code if isinstance(code, int) else None
    return None


class TaskLog:
    """Follows one log stream.

    Args:
        client: boto3's CloudWatch Logs client.
        logger: where each line goes.
        pause: waits so many seconds.
        drain_step_seconds: between two reads of the rest.
    """

    def __init__(
        self,
        client: Any,
        group: str,
        stream: str,
        logger: Any,
        pause: Callable[[float], None],
        drain_step_seconds: float = 1.0,
    ) -> None:
        self._client, self._group, self._stream = client, group, stream
        self._logger, self._pause, self._step = logger, pause, drain_step_seconds
        self._token: str | None = None
        self._interval, self._due = READ_SECONDS, 0.0
        self._complaint = ""
        self._complete = False
        self._failing = False
        self._missing = ""
        """AWS's words where the last read found no stream, or no log group."""
        self.lines = 0
        """Passed on so far."""

    def follow(self) -> None:
        """Pass on what is new, if it is time for a read."""
        if time.monotonic() < self._due:
            return
        fresh = self._read()
        slower = min(self._interval * 1.5, SLOWEST_SECONDS)
        self._interval = SLOWEST_SECONDS if self._failing else READ_SECONDS if fresh else slower
        # Tasks that start together are not to be read together.
        self._due = time.monotonic() + self._interval * random.uniform(0.8, 1.2)

    def drain(self, *, has_last_line: bool) -> None:
        """Pass on the rest, once the task has stopped.

        Args:
            has_last_line: whether the container ends its log with a line of ours, so that its end can be seen.
        """
        since = time.monotonic()
        quiet = 0
        while True:
            failed = self._failing
            fresh = self._read()
            if fresh or failed != self._failing:
                since = time.monotonic()
            quiet = 0 if fresh or self._failing else quiet + 1
            seconds = time.monotonic() - since
            ended = self._complete or (quiet >= QUIET_READS and not has_last_line)
            if not self._failing and (ended or (quiet and seconds > DRAIN_SECONDS)):
                if has_last_line and not self._complete:
                    self._logger.error(
                        "the end of the log has not come: %d lines are above; if there is more, it is in stream %s "
                        "of %s%s",
                        self.lines,
                        self._stream,
                        self._group,
                        f" ({self._missing})" if self._missing else "",
                    )
                return
            if seconds > TROUBLE_SECONDS:
                self._logger.error(
                    "the log could not be read to its end: %d lines are above, all of them are in stream %s of %s",
                    self.lines,
                    self._stream,
                    self._group,
                )
                return
            self._pause(self._step)

    def last(self, count: int) -> list[str]:
        """The last lines; empty if there is no log (the task never started) or it may not be read."""
        try:
            answer = self._client.get_log_events(
                logGroupName=self._group, logStreamName=self._stream, startFromHead=False, limit=count
            )
        except AWS_ERRORS:
            return []
        return [event["message"] for event in answer["events"]]

    def _read(self) -> int:
        """Pass on new lines, up to some pages; returns how many."""
        before = self.lines
        self._failing, self._missing = False, ""
        try:
            for _ in range(PAGES):
                more = {} if self._token is None else {"nextToken": self._token}
                answer = self._client.get_log_events(
                    logGroupName=self._group, logStreamName=self._stream, startFromHead=True, **more
                )
                for event in answer["events"]:
                    self._logger.info("%s", event["message"])
                    self._complete = is_last_line(event["message"])
                self.lines += len(answer["events"])
                # At the end of a stream the token stays the same (AWS, "GetLogEvents").
                if answer["nextForwardToken"] == self._token:
                    break
                self._token = answer["nextForwardToken"]
        except AWS_ERRORS as error:
            # The stream does not exist before the container writes its first line.
            missing = code_of(error) == "ResourceNotFoundException"
            self._failing = not missing
            self._missing = str(error) if missing else ""
            if not missing and str(error) != self._complaint:
                self._complaint = str(error)
                self._logger.warning("cannot read log stream %s of %s: %s", self._stream, self._group, error)
        return self.lines - before
