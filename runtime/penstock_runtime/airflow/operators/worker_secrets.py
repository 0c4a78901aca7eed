"""Secrets of a task that runs on Airflow's worker: read by the worker, when the task starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penstock_runtime.errors import PenstockError

_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})


def read(references: Mapping[str, str], region: str) -> dict[str, str]:
    """The values, by variable.

    Args:
        references: variable → `secretsmanager:<name or ARN>#<field>`, or `ssm:<parameter>`.
        region: of those that are given by name.

    Raises:
        PenstockError: one cannot be read, or lacks its field; says which, and shows no value.
    """
    clients: dict[tuple[str, str], Any] = {}
    values = {}
    for variable, reference in references.items():
        store, _, rest = reference.partition(":")
        name, _, field = rest.partition("#")
        where = name.split(":")[3] if name.startswith("arn:") else region
        if (store, where) not in clients:
            clients[store, where] = client(store, where)
        text = _text(clients[store, where], store, name, variable)
        values[variable] = _field(text, field, reference, variable) if field else text
    return values


def client(store: str, region: str) -> Any:
    """boto3's client, as the amazon provider makes it, with the worker's own credentials."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    return AwsBaseHook(aws_conn_id=None, client_type=store, region_name=region).conn


def _text(client: Any, store: str, name: str, variable: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if store == "ssm":
            # The call that the role may make, as for containers.
            answer = client.get_parameters(Names=[name], WithDecryption=True)
            if not answer["Parameters"]:
                raise PenstockError(
                    f"secret {variable}: there is no parameter {name}", fix="create it, or correct penstock.yaml"
                )
            return str(answer["Parameters"][0]["Value"])
        return str(client.get_secret_value(SecretId=name)["SecretString"])
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        fix = "check that it is there, and that penstock.yaml names it"
        if code in _DENIED:
            fix = "deploy again, so that Airflow's role may read it (docs/permissions.md)"
        raise PenstockError(f"secret {variable} ({name}) cannot be read: {error}", fix=fix) from None
    except KeyError:
        raise PenstockError(
            f"secret {variable} ({name}) is not a text", fix="store it as a text (SecretString), not as binary"
        ) from None
    except BotoCoreError as error:
        fix = "check the worker's way to AWS (NAT or endpoints)"
        raise PenstockError(f"secret {variable} ({name}) cannot be read: {error}", fix=fix) from None


def _field(text: str, field: str, reference: str, variable: str) -> str:
    try:
        value = json.loads(text)[field]
    except (ValueError, KeyError, TypeError):
        # Without the text: it is the secret.
        raise PenstockError(
            f"secret {variable} ({reference}) has no field {field!r} in a JSON object",
            fix="add the field to the secret, or correct the name behind # in penstock.yaml",
        ) from None
    return value if isinstance(value, str) else json.dumps(value)
