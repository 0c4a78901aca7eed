"""Put the values of the plan's secrets into the embedded AWS, where tasks get them as they would on AWS.

The values come from the embedded services themselves (the warehouse's password, the catalogue's token), or from the
caller's environment as `PENSTOCK_SECRET_<NAME>`. They are in no file of the instance but its `private/` folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from penstock.local.aws.endpoint import Endpoint
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Secret

PREFIX = "PENSTOCK_SECRET_"


def collect(plan: Plan, known: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The value of every secret that a task of the plan gets, by name.

    Args:
        known: what the embedded services made up themselves.

    Raises:
        InputError: a value is nowhere; all missing ones are named.
    """
    names = sorted({secret.name for secret in _secrets(plan)})
    values = {**{name: environ[PREFIX + name] for name in names if PREFIX + name in environ}, **known}
    missing = [name for name in names if name not in values]
    if missing:
        raise InputError(
            f"the embedded AWS has no value for the secret{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            fix="set " + " ".join(f"{PREFIX}{name}=…" for name in missing) + " in the environment of penstock up",
        )
    return {name: values[name] for name in names}


def store(plan: Plan, endpoint: Endpoint, values: Mapping[str, str]) -> None:
    """Write the values to where the plan's references point.

    Raises:
        InputError: a reference is a full ARN, which belongs to a real account.
    """
    documents: dict[str, str | dict[str, str]] = {}
    for secret in _secrets(plan):
        if secret.id.startswith("arn:"):
            raise InputError(
                f"the secret {secret.name} is given as an ARN, which the embedded AWS cannot hold",
                fix="refer to it by name, or override it for this environment",
            )
        if secret.store == "ssm":
            ssm: Any = endpoint.client("ssm")
            ssm.put_parameter(Name=secret.id, Value=values[secret.name], Type="SecureString", Overwrite=True)
        elif secret.key is None:
            documents[secret.id] = values[secret.name]
        else:
            document = documents.setdefault(secret.id, {})
            if isinstance(document, dict):
                document[secret.key] = values[secret.name]
    manager: Any = endpoint.client("secretsmanager")
    for name, document in documents.items():
        text = document if isinstance(document, str) else json.dumps(document)
        try:
            manager.create_secret(Name=name, SecretString=text)
        except manager.exceptions.ResourceExistsException:
            manager.put_secret_value(SecretId=name, SecretString=text)


def _secrets(plan: Plan) -> Iterable[Secret]:
    """All but those of Airflow's database, which the deploy makes and a DAG fills."""
    own = plan.catalogue.secret if plan.catalogue is not None else None
    return (secret for definition in plan.task_definitions for secret in definition.secrets if secret.id != own)
