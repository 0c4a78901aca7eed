"""What a file of faults may say, and what must hold between its keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from penstock.local.faults import services
from penstock.problem import Problem
from penstock.project.document.problems import nearest, shown
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern

Kind = Literal["late", "lost", "refused", "cut", "silent", "error", "throttled", "answered"]
Origin = Literal["airflow", "tasks", "desk"]

_CALL = worded_pattern(
    r"^(\*|[a-z0-9-]+:(\*|[A-Za-z0-9]+))$",
    "service:Operation, service:* or *",
    'write it as in ecs:RunTask, s3:* or "*"',
)
_CODE = worded_pattern(r"^[A-Za-z0-9.]{1,100}$", "a code of AWS's", "write one without spaces, such as InternalError")
_TIMED = ("late", "silent")
ECS_OPERATION = "RunTask"
"""What ECS answers with another service's throttling, in words of its own."""


class Rule(Strict):
    """One fault, and which calls it befalls."""

    call: str = Field(pattern=_CALL)
    """`service:Operation`, `service:*` or `*`; the service as boto3 or IAM names it."""
    fault: Kind
    """What happens to the call."""
    origin: Literal["airflow", "tasks", "desk", "all"] = Field("all", alias="from")
    """Whose calls: Airflow's, the tasks' containers', the commands' and the deploy's, or everybody's."""
    containing: str | None = Field(None, min_length=1, max_length=1000)
    """Only calls whose request has this text in its body: a task's ARN, a log stream, the beginning of `startedBy`."""
    lasting: float | None = Field(None, gt=0, le=86400)
    """For how many seconds the rule holds, from the first call on that it matches."""
    seconds: float | None = Field(None, gt=0, le=86400)
    """`late`: how long the answer is held back. `silent`: after how long the connection is closed."""
    after: int = Field(0, ge=0)
    """How many matching calls pass first."""
    count: int | None = Field(None, ge=1)
    """How often the fault happens at most."""
    chance: float | None = Field(None, gt=0, le=1)
    """The probability that a matching call is hit."""
    status: int | None = Field(None, ge=400, le=599)
    """`error`: HTTP status; 500 by default."""
    code: str | None = Field(None, pattern=_CODE)
    """`error`: AWS's error code; `InternalError` by default."""
    message: str | None = Field(None, max_length=1000)
    """`error`: its text."""
    body: str | None = Field(None, max_length=10000)
    """`answered`: what the service seems to answer, with HTTP status 200; for ECS in JSON."""
    hidden: bool = False
    """`throttled` of ecs:RunTask: answered as ECS does where a service behind it throttles, with
    InvalidParameterException."""

    @property
    def service(self) -> str:
        """boto3's name of the service, or `*`."""
        return services.canonical(self.call.partition(":")[0])

    @property
    def operation(self) -> str:
        """The operation, or `*`."""
        return self.call.partition(":")[2] or "*"


class Faults(Strict):
    """A file of faults."""

    seed: int | None = None
    """Makes `chance` repeatable."""
    desk: bool = False
    """Whether the commands and the deploy go through the proxy, too."""
    faults: list[Rule] = Field([], max_length=200)
    """The rules, in order: the first that takes a call decides."""


def check(faults: Faults) -> Iterator[Problem]:
    """What types cannot say."""
    for index, rule in enumerate(faults.faults):
        for problem in (*_call(rule), *_keys(rule), *_desk(rule, faults)):
            yield problem.below("faults", index)


def _call(rule: Rule) -> Iterator[Problem]:
    if rule.service == "*":
        return
    known = set(services.NAMES.values())
    if rule.service not in known:
        yield Problem(
            f"{shown(rule.service)} is not a service of the embedded AWS",
            fix=nearest(rule.service, known | set(services.NAMES), kind="service"),
        ).at("call")
    elif rule.operation != "*" and rule.operation not in services.operations(rule.service):
        yield Problem(
            f"{rule.service} has no operation {shown(rule.operation)}",
            fix=nearest(rule.operation, services.operations(rule.service), kind="operation"),
        ).at("call")


def _keys(rule: Rule) -> Iterator[Problem]:
    """Keys that a fault needs, and those that would have no effect."""
    if rule.fault in _TIMED and rule.seconds is None:
        yield Problem(f"fault '{rule.fault}' needs 'seconds'", fix="add seconds: 20").at("fault")
    if rule.fault not in _TIMED and rule.seconds is not None:
        yield _idle("seconds", rule, " or ".join(f"'{one}'" for one in _TIMED))
    if rule.fault != "error":
        for name in ("status", "code", "message"):
            if getattr(rule, name) is not None:
                yield _idle(name, rule, "'error'")
    if rule.fault == "answered" and rule.body is None:
        yield Problem("fault 'answered' needs 'body'", fix="""add body: '{"tasks": []}'""").at("fault")
    if rule.fault != "answered" and rule.body is not None:
        yield _idle("body", rule, "'answered'")
    if rule.hidden and rule.fault != "throttled":
        yield _idle("hidden", rule, "'throttled'")
    elif rule.hidden and (rule.service, rule.operation) != ("ecs", ECS_OPERATION):
        yield Problem(f"'hidden' has an effect on ecs:{ECS_OPERATION} only", fix=f"write call: ecs:{ECS_OPERATION}").at(
            "hidden", key=True
        )


def _idle(name: str, rule: Rule, wanted: str) -> Problem:
    fix = f"remove it, or write fault: {wanted.replace(chr(39), '')}"
    return Problem(f"'{name}' has no effect on fault '{rule.fault}', only on {wanted}", fix=fix).at(name, key=True)


def _desk(rule: Rule, faults: Faults) -> Iterator[Problem]:
    if rule.origin == "desk" and not faults.desk:
        yield Problem("no call from the desk goes through the proxy", fix="add desk: true at the top of the file").at(
            "from"
        )
