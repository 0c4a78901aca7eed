"""What time it is at AWS, by the `Date` of its answers.

A deadline is a moment that several clocks are held against: of the worker that starts a Fargate task, of another one
that goes on with it, of the function that stops what has outlived it. An Airflow of one's own may run where a clock is
off, and a task must not be stopped for that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

EXACT_SECONDS = 30.0
"""A difference below this is taken for the way of the answer: AWS gives whole seconds, and an answer may be late."""


class AwsClock:
    """Hears answers of AWS, and says what time it is there. Before the first one it is the machine's own clock."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """In seconds since 1970."""
        return time.time() + self._ahead

    def hear(self, answer: Mapping[str, Any]) -> None:
        """Take the time of an answer, or of an error's `response`; one that has none changes nothing."""
        stated = ((answer.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}).get("date")
        if not stated:
            return
        try:
            ahead = parsedate_to_datetime(stated).timestamp() - time.time()
        except ValueError:
            return
        self._ahead = ahead if abs(ahead) > EXACT_SECONDS else 0.0
