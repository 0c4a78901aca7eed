"""Calls of ECS that survive what AWS and the network do to them: errors, time-outs, throttling, answers that are lost.

Waiting for a task bears every error until its deadline; starting one repeats the same call, which ECS answers with the
same task (`clientToken`), and gives up at once only where AWS has refused it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from penstock_runtime.airflow.operators.aws_clock import AwsClock
from penstock_runtime.airflow.operators.earlier import Described
from penstock_runtime.errors import PenstockError

AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError, OSError)
"""Whatever a call of AWS may raise; `ResponseParserError` is for an answer that was cut."""
_PASSING = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.CredentialRetrievalError,
    exceptions.MetadataRetrievalError,
    exceptions.NoCredentialsError,
    ResponseParserError,
    OSError,
)
_PASSING_CODES = (
    # Throttling, and errors within AWS.
    *("Throttl", "TooManyRequests", "RequestLimitExceeded", "RequestTimeout", "ServerException", "Unavailable"),
    # Credentials are renewed by themselves, and a clock comes right.
    *("ExpiredToken", "RequestExpired", "UnrecognizedClient", "InvalidClientTokenId", "InvalidSignature"),
)
THROTTLED_WORDS = ("Rate exceeded", "Throttling", "throttled")
"""ECS passes on what throttled it, also as `InvalidParameterException` (dagster-io/dagster #33439)."""

SLOWEST_SECONDS = 60.0
"""Between two tries of a call."""
UNSEEN_SECONDS = 300.0
"""How long ECS may not know a task that it has just started: its answers may lag behind."""
UNSEEN_LOOKS = 3
"""So many looks in a row must find that ECS does not know a task."""
MOST_DESCRIBED = 100
"""Source: ECS API, DescribeTasks."""


class Refused(PenstockError):
    """ECS has refused a call, and would again. `reason` has its words."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"ECS refused to {what}: {reason}", fix="correct what ECS names, then deploy again")
        self.reason = reason


class NotPlaced(PenstockError):
    """ECS found no room for the task now. `reason` has its words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"ECS could not place the task: {reason}", fix="run it again later, or in more zones")
        self.reason = reason


class TokenInUse(Exception):
    """Another call has used the client token: the task of this attempt exists already.

    `arns` are its ARNs, if ECS gives them (API, ConflictException, `resourceIds`).
    """

    def __init__(self, words: str, arns: Sequence[str]) -> None:
        super().__init__(words)
        self.arns = tuple(arns)


class Forgotten(PenstockError):
    """ECS does not know the task, or no longer: it forgets a stopped one after about an hour."""

    def __init__(self, arn: str) -> None:
        fix = "see its log stream, then clear the Airflow task to run it again"
        super().__init__(f"ECS no longer knows {arn}", fix=fix)


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed later: the network, throttling, an error within AWS."""
    if not isinstance(error, ClientError):
        return isinstance(error, _PASSING)
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or any(word in code for word in _PASSING_CODES) or is_throttled(str(error))


def code_of(error: BaseException) -> str:
    """AWS's code of an error; empty if it is not an answer of AWS."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_throttled(words: str) -> bool:
    """Whether an error or a reason of ECS is about throttling."""
    return any(word in words for word in THROTTLED_WORDS)


def back_off(tries: int, least_seconds: float) -> float:
    """Seconds before the next try of a call: doubled each time, with jitter, so that many do not come together."""
    longest = min(least_seconds * 2.0 ** min(tries, 10), SLOWEST_SECONDS)
    return random.uniform(longest / 2, longest)


class EcsCalls:
    """The calls about one cluster.

    Args:
        client: boto3's ECS client.
        logger: hears of trouble, once for each kind.
        pause: waits so many seconds; may raise to end a call that is repeated.
        least_seconds: before the second try of a call.
    """

    def __init__(
        self, client: Any, cluster: str, logger: Any, pause: Callable[[float], None], least_seconds: float = 1.0
    ) -> None:
        self._client, self._cluster, self._logger = client, cluster, logger
        self._pause, self._least = pause, least_seconds
        self._complaint = ""
        self._missed = 0
        self.clock = AwsClock()
        """ECS's own."""

    def start(self, request: dict[str, Any], until: float) -> Described:
        """RunTask, until ECS has answered.

        Args:
            request: with a `clientToken`.
            until: when to give up, in seconds since 1970.

        Raises:
            Refused, NotPlaced: no task has started.
            TokenInUse: the task of this token was started by another call.
            PenstockError: ECS could not be asked; a task may have started.
        """
        answer = self._patiently(partial(self._client.run_task, **request), until, "start the task")
        if answer.get("tasks"):
            return dict(answer["tasks"][0])
        reasons = [str(one.get("reason") or one.get("detail") or one) for one in answer.get("failures") or []]
        raise NotPlaced("; ".join(reasons) or "it gives no reason")

    def stop(self, arn: str, reason: str, until: float) -> None:
        """StopTask, until ECS has taken it. A task that has stopped, or that ECS no longer knows, is as wanted.

        Raises:
            PenstockError: ECS could not be asked, or does not allow it.
        """
        try:
            # ECS takes 1024 characters as the reason.
            call = {"cluster": self._cluster, "task": arn, "reason": reason[:1000]}
            self._patiently(partial(self._client.stop_task, **call), until, f"stop {arn}")
        except Refused as error:
            if "not found" not in error.reason:
                raise PenstockError(
                    f"{arn} could not be stopped: {error.reason}", fix="stop it in the console of ECS"
                ) from error

    def left_by(self, started_by: str, until: float, *, known: Sequence[str] = ()) -> list[Described]:
        """All tasks that ECS knows under a `startedBy`; stopped ones for an hour at least.

        Args:
            known: ARNs that are looked at in any case.

        Raises:
            Refused: the role may not list tasks.
            PenstockError: ECS could not be asked.
        """
        arns = dict.fromkeys(known)
        for status in ("RUNNING", "STOPPED"):
            more: dict[str, str] = {}
            while True:
                call = {"cluster": self._cluster, "startedBy": started_by, "desiredStatus": status, **more}
                answer = self._patiently(partial(self._client.list_tasks, **call), until, "list tasks")
                arns |= dict.fromkeys(answer["taskArns"])
                if not answer.get("nextToken"):
                    break
                more = {"nextToken": answer["nextToken"]}
        return self._describe(list(arns), until)

    def watch(self, arn: str, started: float) -> Described | None:
        """The task as ECS knows it now; None where it could not be asked, which passes.

        Args:
            started: when the task was asked for, by ECS's clock.

        Raises:
            Forgotten: ECS does not know the task.
        """
        try:
            answer = self._heard(partial(self._client.describe_tasks, cluster=self._cluster, tasks=[arn]))
        except AWS_ERRORS as error:
            self._complain(f"cannot look at {arn}, trying again: {error}")
            return None
        if answer["tasks"]:
            self._missed = 0
            return dict(answer["tasks"][0])
        self._missed += 1
        if self.clock.now() - started < UNSEEN_SECONDS or self._missed < UNSEEN_LOOKS:
            return None
        raise Forgotten(arn)

    def _describe(self, arns: Sequence[str], until: float) -> list[Described]:
        tasks: list[Described] = []
        for start in range(0, len(arns), MOST_DESCRIBED):
            call = {"cluster": self._cluster, "tasks": list(arns[start : start + MOST_DESCRIBED])}
            answer = self._patiently(partial(self._client.describe_tasks, **call), until, "look at tasks")
            tasks += answer["tasks"]
        return tasks

    def _patiently(self, call: Callable[[], Any], until: float, what: str) -> Any:
        tries = 0
        while True:
            try:
                return self._heard(call)
            except AWS_ERRORS as error:
                if code_of(error) == "ConflictException":
                    raise TokenInUse(str(error), getattr(error, "response", {}).get("resourceIds") or ()) from error
                if not may_pass(error):
                    raise Refused(what, _words(error)) from error
                wait = back_off(tries, self._least)
                if time.time() + wait > until:
                    raise PenstockError(
                        f"could not {what}: {error}",
                        fix="check the way from Airflow to the ECS API and its quotas, then run the task again: the "
                        "next try looks for what this one may have started",
                    ) from error
                self._complain(f"could not {what}, trying again: {error}")
                tries += 1
                self._pause(wait)

    def _heard(self, call: Callable[[], Any]) -> Any:
        """Make a call, and take the time of its answer."""
        try:
            answer = call()
        except ClientError as error:
            self.clock.hear(error.response)
            raise
        self.clock.hear(answer)
        return answer

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            self._logger.warning("%s", text)


def _words(error: BaseException) -> str:
    message = error.response.get("Error", {}).get("Message", "") if isinstance(error, ClientError) else str(error)
    return f"{code_of(error)}: {message}".removeprefix(": ")
