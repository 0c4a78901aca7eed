"""AWS::SecretsManager::Secret: `Ref` is the ARN, as in CloudFormation; partial ARNs name one secret only; one without a
value has none."""

from __future__ import annotations

from typing import Any

from penstock.local.aws import compat

_SUFFIX = 7
"""A secret's ARN ends in a hyphen and six random characters."""


def correct(handler: dict[str, Any]) -> None:
    """Make the ARN the physical id; ministack's handlers know a secret by its name."""
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def create_secret(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        name, attributes = create(logical_id, properties, stack)
        arn = attributes.get("Arn", name)
        if not {"SecretString", "GenerateSecretString"} & properties.keys():
            # Without a version (Secrets Manager API Reference, CreateSecret); ministack gives it an empty one.
            _, secret = compat.secretsmanager._resolve(arn)
            secret["Versions"].clear()
        return arn, attributes

    def update_secret(
        arn: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None = None
    ) -> tuple[str, dict[str, Any]]:
        name, attributes = update(_name(arn), old, new, stack, logical_id)
        return attributes.get("Arn", name), attributes

    def delete_secret(arn: str, properties: dict[str, Any]) -> None:
        delete(_name(arn), properties)

    handler.update(create=create_secret, update=update_secret, delete=delete_secret)
    _resolve_partial_arns()


def _name(arn: str) -> str:
    key, _ = compat.secretsmanager._resolve(arn)
    return str(key or arn)


def _resolve_partial_arns() -> None:
    """An ARN without its suffix is that secret's; ministack takes any secret whose ARN begins so."""
    resolve = compat.secretsmanager._resolve

    def resolve_exactly(secret_id: str, **options: Any) -> tuple[str | None, dict[str, Any] | None]:
        key, found = resolve(secret_id, **options)
        if found is None or not secret_id.startswith("arn:") or found["ARN"] == secret_id:
            return key, found
        if found["ARN"][:-_SUFFIX] == secret_id:
            return key, found
        return next(
            ((name, one) for name, one in compat.secretsmanager._secrets.items() if one["ARN"][:-_SUFFIX] == secret_id),
            (None, None),
        )

    compat.secretsmanager._resolve = resolve_exactly
