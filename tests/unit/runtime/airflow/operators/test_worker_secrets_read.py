"""Secrets of tasks in Airflow's worker: what is read, and what an error says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from penstock_runtime.airflow.operators import worker_secrets
from penstock_runtime.errors import PenstockError

VALUE = "canary-of-this-test"
FAR = "arn:aws:secretsmanager:us-east-1:111122223333:secret:far-AbCdEf"


class Store:
    """Secrets Manager and SSM of one region."""

    def __init__(self, store: str, region: str) -> None:
        self.where = store, region

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:
        if SecretId == "denied":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")
        if SecretId == "gone":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "GetSecretValue")
        if SecretId == "away":
            raise EndpointConnectionError(endpoint_url="https://secretsmanager")
        if SecretId == "binary":
            return {"SecretBinary": VALUE.encode()}
        if SecretId == "json":
            return {"SecretString": json.dumps({"password": VALUE, "port": 5432})}
        return {"SecretString": f"{VALUE} of {self.where[1]}"}

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> dict[str, Any]:
        assert WithDecryption
        return {"Parameters": [{"Value": VALUE}] if Names == ["/team/token"] else []}


@pytest.fixture(autouse=True)
def stores(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Which clients were made."""
    made: list[tuple[str, str]] = []

    def client(store: str, region: str) -> Store:
        made.append((store, region))
        return Store(store, region)

    monkeypatch.setattr(worker_secrets, "client", client)
    return made


def test_each_kind_of_reference(stores: list[tuple[str, str]]) -> None:
    """A text, a field, one that is a number, another region's, a parameter; one client for each store and region."""
    references = {
        "TEXT": "secretsmanager:text",
        "FIELD": "secretsmanager:json#password",
        "PORT": "secretsmanager:json#port",
        "FAR": f"secretsmanager:{FAR}",
        "PARAMETER": "ssm:/team/token",
    }

    assert worker_secrets.read(references, "eu-west-1") == {
        "TEXT": f"{VALUE} of eu-west-1",
        "FIELD": VALUE,
        "PORT": "5432",
        "FAR": f"{VALUE} of us-east-1",
        "PARAMETER": VALUE,
    }
    assert stores == [("secretsmanager", "eu-west-1"), ("secretsmanager", "us-east-1"), ("ssm", "eu-west-1")]


@pytest.mark.parametrize(
    ("reference", "said", "fix"),
    [
        ("secretsmanager:denied", "cannot be read", "docs/permissions.md"),
        ("secretsmanager:gone", "cannot be read", "check that it is there"),
        ("secretsmanager:away", "cannot be read", "way to AWS"),
        ("secretsmanager:binary", "is not a text", "SecretString"),
        ("secretsmanager:json#user", "has no field 'user'", "add the field"),
        ("secretsmanager:text#user", "has no field 'user'", "add the field"),
        ("ssm:/team/other", "there is no parameter /team/other", "create it"),
    ],
)
def test_errors_name_the_secret_and_show_no_value(reference: str, said: str, fix: str) -> None:
    """Which variable, why, and what to do."""
    with pytest.raises(PenstockError) as caught:
        worker_secrets.read({"TOKEN": reference}, "eu-west-1")

    assert "secret TOKEN" in str(caught.value)
    assert said in caught.value.what
    assert fix in caught.value.fix
    assert VALUE not in str(caught.value)
