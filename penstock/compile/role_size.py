"""How long the policies of a task definition's execution role are: IAM bounds them, and a deploy finds out last."""

from __future__ import annotations

from penstock.aws.arns import partition_of
from penstock_runtime.errors import InputError
from penstock_runtime.plan.iam_limits import MAX_INLINE_CHARACTERS
from penstock_runtime.plan.task_definition import Secret, TaskDefinition

FRAME = 1_500
"""Room for the rest of what ECS's agent may do: the log, the image, decrypting.
`stacks.ingestion.role_statements` makes it, and a test compares."""


def check_execution_role(definition: TaskDefinition, region: str, task: str) -> None:
    """Raise an InputError where the secrets of a task definition are more than its execution role may be granted.

    Args:
        task: the name of one that uses the definition.
    """
    read = {secret.id: secret for secret in definition.secrets}
    if definition.image.credentials is not None:
        read[definition.image.credentials.id] = definition.image.credentials
    size = FRAME + sum(_characters(secret, region) for secret in read.values())
    size += sum(len(key) + len('"",') for key in definition.secret_kms_keys)
    if size > MAX_INLINE_CHARACTERS:
        raise InputError(
            f"task {task!r} reads {len(read)} secrets, and leave to do so takes {size} characters of its execution "
            f"role; IAM takes {MAX_INLINE_CHARACTERS}",
            fix="put several values into one JSON secret (secretsmanager:<name>#<key>), or split the task",
        )


def _characters(secret: Secret, region: str) -> int:
    """Of the resources of a statement that lets a role read a secret; see `stacks.ingestion.secret.readable`."""
    if secret.id.startswith("arn:"):
        return len(secret.id) + len('"",')
    kind = "secret:" if secret.store == "secretsmanager" else "parameter/"
    arn = len(f"arn:{partition_of(region)}:{secret.store}:{region}:{'1' * 12}:{kind}{secret.id}") + len('"",')
    return arn if secret.store == "ssm" else 2 * arn + len("-??????")
