"""What ECS does before a container starts, with the permissions of the task's execution role.

Registry login, secrets, log stream: a missing grant or a missing thing ends the task with ECS's own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.local.aws import compat, iam
from penstock.local.aws.cfn import pull_through
from penstock.local.aws.process import Image, load_image

_ECR = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/(?P<repository>[^:@]+)")
_CACHE = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
"""For an image of the pull-through cache. ECR asks for them on the first pull only; here on every one."""
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
_SECRET_ARN_FIELDS = 7
"""arn:partition:secretsmanager:region:account:secret:name; ECS appends json-key:version-stage:version-id."""


class LaunchError(Exception):
    """The container cannot be started; the text is the task's `stoppedReason`."""


def pull(container: Mapping[str, Any], folder: Path, execution_key: str | None) -> Image:
    """The container's image.

    Raises:
        LaunchError: no image of that name is here, or the execution role may not pull it.
    """
    reference = str(container["image"])
    _log_in(container, execution_key)
    repository = _ECR.match(reference)
    if repository:
        name = repository["repository"]
        arn = f"arn:aws:ecr:{compat.responses.get_region()}:{compat.responses.get_account_id()}:repository/{name}"
        _require(execution_key, "ecr:GetAuthorizationToken", "*", "unable to pull secrets or registry auth")
        cached = pull_through.cached(name)
        for action in (*_PULL, *(_CACHE if cached else ())):
            refused = iam.denial(execution_key or "", action, arn)
            if refused:
                raise LaunchError(
                    f"CannotPullContainerError: pull image manifest has been retried 1 time(s): {refused}"
                )
        if cached:
            # What stands for it goes by its name without the account's address.
            reference = reference.partition("/")[2]
    image = load_image(folder, reference)
    if image is None:
        raise LaunchError(f"CannotPullContainerError: failed to resolve ref {reference}: {reference}: not found")
    return image


def _log_in(container: Mapping[str, Any], execution_key: str | None) -> None:
    """A private registry's log-in can be read, and is one; the registry itself is not asked.

    Source: Amazon ECS Developer Guide, "Using non-AWS container images in Amazon ECS".
    """
    source = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
    if source is None:
        return
    if not source.startswith("arn:"):
        region, account = compat.responses.get_region(), compat.responses.get_account_id()
        source = f"arn:aws:secretsmanager:{region}:{account}:secret:{source}"
    for field in ("username", "password"):
        _secret(f"{source}:{field}::", execution_key)


def secrets(container: Mapping[str, Any], execution_key: str | None) -> dict[str, str]:
    """The values of the container's secrets, by the names of their environment variables.

    Raises:
        LaunchError: one does not exist, or the execution role may not read it.
    """
    return {one["name"]: _secret(one["valueFrom"], execution_key) for one in container.get("secrets") or []}


def log_stream(container: Mapping[str, Any], task_id: str, execution_key: str | None) -> tuple[str, str] | None:
    """Create the task's log stream; its group and name, or None where the container does not log to CloudWatch.

    Raises:
        LaunchError: the log group is missing, or the execution role may not write to it.
    """
    configuration = container.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return None
    options = configuration.get("options") or {}
    group, prefix = str(options.get("awslogs-group")), options.get("awslogs-stream-prefix")
    stream = f"{prefix}/{container['name']}/{task_id}" if prefix else task_id
    what = (
        "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream"
    )
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        _require(execution_key, action, iam.log_stream_arn(group, stream), what)
    status, _, body = compat.cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    if status != 200:
        answer = json.loads(body)
        raise LaunchError(f"ResourceInitializationError: {what}: {answer['__type']}: {answer['message']}")
    return group, stream


def _secret(source: str, execution_key: str | None) -> str:
    what = "unable to pull secrets or registry auth: execution resource retrieval failed"
    region, account = compat.responses.get_region(), compat.responses.get_account_id()
    if ":secretsmanager:" not in source:
        name = source.split(":parameter", 1)[-1] if source.startswith("arn:") else source
        arn = f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}"
        _require(execution_key, "ssm:GetParameters", arn, f"{what}: unable to retrieve secret from ssm")
        value = compat.ssm.resolve_parameter_value(source, decrypt=True)
        if value is None:
            raise LaunchError(f"ResourceInitializationError: {what}: invalid ssm parameters: {source}")
        _, parameter = compat.ssm._lookup_parameter(source, allow_arn_region=True, flexible_name=True)
        refused = _undecryptable(execution_key, parameter.get("KeyId"), "ssm")
        if refused:
            raise LaunchError(f"ResourceInitializationError: {what}: AccessDeniedException: {refused}")
        return str(value)

    fields = source.split(":")
    reference = ":".join(fields[:_SECRET_ARN_FIELDS])
    key, stage, version = [*fields[_SECRET_ARN_FIELDS:], "", "", ""][:3]
    what += ": unable to retrieve secret from asm"
    _, stored = compat.secretsmanager._resolve(reference)
    # Reports disagree about whether AWS checks a partial ARN itself or the full one that it stands for (aws-cdk
    # #18555, #20744), so a role must be granted both.
    for arn in dict.fromkeys((reference, stored["ARN"] if stored else reference)):
        _require(execution_key, "secretsmanager:GetSecretValue", arn, what)
    value = compat.secretsmanager.resolve_secret_string(reference, stage or "AWSCURRENT", version or None)
    if value is None:
        raise LaunchError(
            f"ResourceInitializationError: {what}: ResourceNotFoundException: "
            f"Secrets Manager can't find the specified secret: {reference}"
        )
    if _undecryptable(execution_key, stored.get("KmsKeyId"), "secretsmanager"):
        # Its words (AWS re:Post, Knowledge Center, secrets-manager-cross-account-key).
        raise LaunchError(f"ResourceInitializationError: {what}: AccessDeniedException: Access to KMS is not allowed")
    if not key:
        return str(value)
    try:
        member = json.loads(value)[key]
    except (ValueError, KeyError, TypeError):
        raise LaunchError(
            f"ResourceInitializationError: {what}: retrieved secret from Secrets Manager did not contain json key {key}"
        ) from None
    return member if isinstance(member, str) else json.dumps(member)


def _undecryptable(execution_key: str | None, key: str | None, store: str) -> str | None:
    """KMS's refusal to decrypt for the caller of a store, or None. Anybody may use AWS's own keys by way of a store.

    The key's own policy is taken to leave it to IAM, as the default one does.
    Source: AWS Secrets Manager User Guide, "Permissions for the KMS key"; AWS Systems Manager User Guide, "IAM policies
    to encrypt and decrypt parameter values".
    """
    if not key or key.rsplit(":", 1)[-1].startswith("alias/aws/"):
        return None
    found = compat.kms._resolve_key(key)
    via = {"kms:ViaService": f"{store}.{compat.responses.get_region()}.amazonaws.com"}
    return iam.denial(execution_key or "", "kms:Decrypt", found["Arn"] if found else key, via)


def _require(execution_key: str | None, action: str, resource: str, what: str) -> None:
    if execution_key is None:
        raise LaunchError(f"ResourceInitializationError: {what}: the task definition has no execution role")
    refused = iam.denial(execution_key, action, resource)
    if refused:
        raise LaunchError(f"ResourceInitializationError: {what}: AccessDeniedException: {refused}")
