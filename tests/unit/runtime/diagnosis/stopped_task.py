"""Stopped Fargate tasks, as ECS describes them."""

from __future__ import annotations

import json
from typing import Any

from penstock_runtime.contract import CONTAINER_NAME
from penstock_runtime.functions.reaper import Expired


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


BY_REAPER = {
    "stop_code": "UserInitiated",
    "reason": Expired("arn", "penstock/daily/load/1/ab12", 1_795_262_400, {}).reason,
}
"""What ECS gives of a task that the reaper stopped, besides its exit code."""


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
        "or the secret does not exist",
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
        ASM + "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        "arn:aws:secretsmanager:eu-west-1:1:secret:acme-dev/airflow-database from secrets manager: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: "
        "AWSCURRENT",
        None,
        "airflow-database-address",
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
