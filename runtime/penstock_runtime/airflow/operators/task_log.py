"""The container's CloudWatch log, passed on to Airflow's task log while the Fargate task runs.

The provider's own fetcher may end between two reads and lose the last lines (apache/airflow #43717,
#39026); this one reads until nothing more comes. It replaces `AwsTaskLogFetcher` and has the methods that the
operator calls.
"""

from __future__ import annotations

import threading
from typing import Any

DRAIN_READS = 8
DRAIN_SECONDS = 1.0
"""After the Fargate task's end: at most so many reads, so far apart. The log driver sends in batches."""


class TaskLog(threading.Thread):
    """Follows one log stream until `stop`, then drains it.

    Args:
        client: boto3's CloudWatch Logs client.
        logger: where each line goes.
        interval_seconds: between two reads. GetLogEvents allows 25 calls a second for account and region.
    """

    def __init__(self, client: Any, group: str, stream: str, logger: Any, interval_seconds: float) -> None:
        super().__init__(name=f"log of {stream}", daemon=True)
        self._client, self._group, self._stream = client, group, stream
        self._logger, self._interval = logger, interval_seconds
        self._ended = threading.Event()
        self._token: str | None = None
        self._complaint = ""

    def run(self) -> None:
        """Read at every interval; once stopped, read until a read brings nothing new."""
        while not self._ended.wait(self._interval):
            self._read()
        self._read()
        for _ in range(DRAIN_READS):
            threading.Event().wait(DRAIN_SECONDS)
            if self._read() == 0:
                return

    def stop(self) -> None:
        """Say that the Fargate task has ended; `join` waits for the last lines."""
        self._ended.set()

    def get_last_log_messages(self, number_messages: int) -> list[str]:
        """The last lines; empty if there is no log (the task never started) or it may not be read."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.get_log_events(
                logGroupName=self._group,
                logStreamName=self._stream,
                startFromHead=False,
                limit=number_messages,
            )
        except (BotoCoreError, ClientError):
            return []
        return [event["message"] for event in answer["events"]]

    def get_last_log_message(self) -> str | None:
        """The last line."""
        return next(iter(self.get_last_log_messages(1)), None)

    def _read(self) -> int:
        """Pass on new lines; returns how many."""
        from botocore.exceptions import BotoCoreError, ClientError

        lines = 0
        try:
            while True:
                more = {} if self._token is None else {"nextToken": self._token}
                answer = self._client.get_log_events(
                    logGroupName=self._group, logStreamName=self._stream, startFromHead=True, **more
                )
                for event in answer["events"]:
                    self._logger.info("%s", event["message"])
                lines += len(answer["events"])
                # At the end of a stream the token stays the same (AWS, "GetLogEvents").
                if answer["nextForwardToken"] == self._token:
                    return lines
                self._token = answer["nextForwardToken"]
        except ClientError as error:
            # The stream does not exist before the container writes its first line.
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                self._complain(error)
        except BotoCoreError as error:
            self._complain(error)
        return lines

    def _complain(self, error: Exception) -> None:
        if str(error) != self._complaint:
            self._complaint = str(error)
            self._logger.warning("cannot read log stream %s of %s: %s", self._stream, self._group, error)
