"""ECS's stop reasons, in the words that ECS uses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock_runtime.contract import CONTAINER_NAME, Exit
from penstock_runtime.diagnosis.diagnose import diagnose, is_metric_line, reason_of


def stopped(
    *,
    code: int | None = None,
    stop_code: str = "EssentialContainerExited",
    reason: str = "",
    container_reason: str = "",
    alone: bool = False,
) -> dict[str, Any]:
    """A task as ECS describes it.

    Args:
        alone: whether it ran in an image of the user's own, whose entry point got the command from RunTask.
    """
    container: dict[str, Any] = {"name": CONTAINER_NAME, "lastStatus": "STOPPED"}
    if code is not None:
        container["exitCode"] = code
    if container_reason:
        container["reason"] = container_reason
    override = {"name": CONTAINER_NAME, "environment": [], **({"command": ["x"]} if alone else {})}
    return {
        "stopCode": stop_code,
        "stoppedReason": reason,
        "containers": [{"name": "sidecar", "exitCode": 0}, container],
        "overrides": {"containerOverrides": [override]},
    }


def metric_line(ended_by: str) -> str:
    """The container's last line, as far as it matters here."""
    return json.dumps({"_aws": {"Timestamp": 1}, "ExitCode": 2, "EndedBy": ended_by})


ASM = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "

CASES = [
    (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        "docker.io/x/y:1: docker.io/x/y:1: not found",
        None,
        "name and tag",
        False,
    ),
    (
        "CannotPullContainerError: inspect image has been retried 1 time(s): toomanyrequests: You have reached",
        None,
        "registry of your own",
        True,
    ),
    (
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
        "dial tcp 104.18.123.25:443: i/o timeout",
        None,
        "NAT gateway",
        False,
    ),
    (
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
        None,
        "architecture",
        False,
    ),
    ("CannotPullContainerError: write /var/lib/x: no space left on device", None, "ephemeral_storage_gib", False),
    (
        ASM + "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        "arn:aws:secretsmanager:eu-west-1:1:secret:x from secrets manager: AccessDeniedException: User: "
        "arn:aws:sts::1:assumed-role/x is not authorized to perform: secretsmanager:GetSecretValue on resource: x",
        None,
        "or there is no such secret",
        False,
    ),
    (
        ASM + "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        "arn:aws:secretsmanager:eu-west-1:1:secret:x from secrets manager: AccessDeniedException: Access to KMS is not "
        "allowed",
        None,
        "secret_kms_keys",
        False,
    ),
    (
        ASM + "unable to retrieve ecr registry auth: service call has been retried 3 time(s): AccessDeniedException: "
        "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ecr:GetAuthorizationToken",
        None,
        "log in to ECR",
        False,
    ),
    (
        ASM
        + "unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets "
        "Manager did not contain json key password",
        None,
        "after #",
        False,
    ),
    (
        ASM + "unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't find the secret.",
        None,
        "create it",
        False,
    ),
    (
        ASM + "unable to retrieve secrets from ssm: RequestCanceled: context deadline exceeded",
        None,
        "secretsmanager and ssm",
        False,
    ),
    (
        "ResourceInitializationError: failed to validate logger args: The specified log group does not exist.",
        None,
        "log group",
        False,
    ),
    (
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        None,
        "more than one zone",
        True,
    ),
    (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref x/y:1: "
        "unexpected status from HEAD request to https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/y: 403 Forbidden",
        None,
        "ecr permissions",
        False,
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve ecr registry auth: service call has been retried: RequestError: send request failed "
        'caused by: Post "https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 52.1.2.3:443: i/o timeout',
        None,
        "NAT gateway",
        False,
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: "
        "invalid ssm parameters: /acme/slack",
        None,
        "create it",
        False,
    ),
    (
        "ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task.",
        None,
        "the roles with their trust",
        False,
    ),
    (
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in "
        "subnet 'subnet-0a': InsufficientFreeAddressesInSubnet",
        None,
        "more addresses",
        True,
    ),
    ("Timeout waiting for network interface provisioning to complete.", None, "try again", True),
    ("Rate exceeded", None, "same minute", True),
    (
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed "
        "to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "
        '"python3": executable file not found in $PATH: unknown',
        None,
        "take `python: true` out",
        False,
    ),
    (
        "CannotStartContainerError: failed to create shim: OCI runtime create failed: container_linux.go:380: starting "
        'container process caused: exec: "/opt/run.sh": permission denied: unknown',
        None,
        "chmod +x",
        False,
    ),
    (
        "CannotStartContainerError: failed to create shim task: OCI runtime create failed: runc create failed: unable "
        "to start container process: exec /usr/local/bin/etl: exec format error",
        None,
        "architecture",
        False,
    ),
    ("CannotStartContainerError: cannot start", None, "working directory", False),
]


@pytest.mark.parametrize("program", ["python3", "etl", "/opt/etl"])
@pytest.mark.parametrize(
    "words",
    ['exec: "{}": executable file not found in $PATH: unknown', 'exec: "{}": stat {}: no such file or directory'],
)
def test_a_missing_program_of_an_own_image_is_the_command_s(words: str, program: str) -> None:
    """There nobody but the user named it, also where it is Python: no word of the runtime or of its key."""
    reason = "CannotStartContainerError: failed to create shim task: " + words.format(program, program)
    found = diagnose(stopped(stop_code="TaskFailedToStart", reason=reason, alone=True))

    assert "correct the command in penstock.yaml" in found.fix
    assert "runtime" not in found.cause + found.fix
    assert "python: true" not in found.cause + found.fix


@pytest.mark.parametrize("code", [Exit.WRONG_INPUT, Exit.ARTIFACT, Exit.TIMED_OUT])
def test_exit_codes_of_an_own_image_are_the_command_s(code: int) -> None:
    """What a code means in our runtime, it does not mean there: `ls` ends with 2 where a file is missing."""
    found = diagnose(stopped(code=code, alone=True))

    assert (found.cause, found.fix) == (
        "the engine ended with an exit code of its own",
        "read the end of the task's log",
    )


@pytest.mark.parametrize("code", [137, 143, 124, None])
def test_the_time_of_an_own_image_is_airflow_s(code: int | None) -> None:
    """It stopped the task by `on_kill`; somebody else stops it in other words."""
    words = "Task killed by the user"
    found = diagnose(stopped(code=code, stop_code="UserInitiated", reason=words, alone=True))
    others = diagnose(stopped(code=code, stop_code="UserInitiated", reason="enough", alone=True))

    assert "raise timeout_minutes" in found.fix
    assert others.cause.startswith("somebody stopped the task, or Airflow")


@pytest.mark.parametrize(("reason", "code", "fix", "transient"), CASES)
def test_knows_what_ecs_says(reason: str, code: int | None, fix: str, transient: bool) -> None:
    """Each known reason has its fix, and whether trying again helps; ECS's own words are kept."""
    found = diagnose(stopped(code=code, stop_code="TaskFailedToStart", reason=reason))

    assert fix in found.fix + found.cause
    assert found.transient is transient
    assert reason in found.summary


def test_reads_the_containers_reason_first() -> None:
    """Out of memory is told by the container; the task says only that it exited."""
    found = diagnose(
        stopped(
            code=137, reason="Essential container in task exited", container_reason="OutOfMemoryError: Container killed"
        )
    )

    assert "memory" in found.cause
    assert "exit code 137: OutOfMemoryError" in found.summary


@pytest.mark.parametrize("code", [code for code in Exit if code is not Exit.DONE])
def test_knows_every_exit_code_of_ours(code: Exit) -> None:
    """Each documented code has a cause and a fix of its own."""
    found = diagnose(stopped(code=code, reason="Essential container in task exited"))
    unknown = diagnose(stopped(code=99, reason="Essential container in task exited"))

    assert found.cause != unknown.cause
    assert f"exit code {code:d}" in found.summary


COLLIDING = [Exit.WRONG_INPUT, Exit.ARTIFACT, Exit.TIMED_OUT, Exit.KILLED, Exit.STOPPED]


@pytest.mark.parametrize("code", COLLIDING)
def test_says_whose_an_exit_code_is(code: Exit) -> None:
    """The engine's own 2, 65, 124, 137 or 143 is told as its own where the log says so, and as ours where it is ours;
    without a log both readings are given."""
    task = stopped(code=code, reason="Essential container in task exited")
    found = {by: diagnose(task, ["some line", metric_line(by)]) for by in ("penstock", "signal", "engine")}
    unknown = diagnose(task)

    assert "refused" not in found["engine"].cause
    assert "time limit" not in found["engine"].cause
    assert "exit code" in found["engine"].cause
    assert len({one.cause for one in (*found.values(), unknown)}) >= 3
    assert " or " in unknown.cause
    assert diagnose(task, [metric_line("of a later runtime"), "{"]).cause == unknown.cause


def test_an_error_of_the_container_at_the_end_of_the_log_is_its_own() -> None:
    """What refuses to start has written no metric line; what else is in the log does not decide."""
    task = stopped(code=2, reason="Essential container in task exited")
    refused = ["penstock: the environment variable PENSTOCK_RUN is not set", "  fix: deploy again", ""]

    assert reason_of(task, refused).name == "WrongInput"
    assert reason_of(task, [*refused, "usage: load [-h]"]).name == "WrongInputOrOwnExit"


@pytest.mark.parametrize("code", [2, 65, 124])
def test_a_code_that_came_before_a_stop_says_more_than_who_stopped(code: int) -> None:
    """But an engine of somebody else's that ends on SIGTERM with another code was stopped."""
    person = {"stop_code": "UserInitiated", "reason": "Task stopped by user"}

    assert reason_of(stopped(code=code, **person)) == reason_of(stopped(code=code))
    assert reason_of(stopped(code=3, **person)).name == "StoppedBySomebody"
    assert reason_of(stopped(code=3, **person), [metric_line("engine")]).name == "OtherExit"


def test_knows_the_metric_line_from_others() -> None:
    assert is_metric_line(metric_line("engine"))
    assert not is_metric_line('{"event": "loaded", "_aws": 1}')


def test_tells_spot_from_a_person() -> None:
    """Both end in 143; only one is worth trying again."""
    spot = diagnose(stopped(code=143, stop_code="SpotInterruption", reason="Your Spot Task was interrupted."))
    person = diagnose(stopped(code=143, stop_code="UserInitiated", reason="Task stopped by user"))

    assert spot.transient
    assert not person.transient
    assert "stopped the task" in person.cause


def test_a_success_needs_nothing() -> None:
    """Exit code 0 is no failure, whatever else is said."""
    assert diagnose(stopped(code=0, reason="Essential container in task exited")).fix == "nothing to do"


def test_says_something_where_ecs_says_nothing() -> None:
    """No container, no reason: still a summary and a fix."""
    found = diagnose({})

    assert "ECS gives no reason" in found.summary
    assert found.fix
