"""Clients of the caller's account, and AWS's refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from penstock.deployed.account import Account, aws, denied
from penstock_runtime.errors import InputError, PenstockError

ELSEWHERE = "https://aws.test:4566"


@pytest.fixture(autouse=True)
def caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody with keys, and with nothing else set."""
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")


class AskedError(Exception):
    """What was about to be sent, and to where."""


def asked(call: Callable[..., Any], **arguments: str) -> str:
    """The address that a client would call."""

    def stop(request: Any, **_: Any) -> None:
        raise AskedError(request.url)

    call.__self__.meta.events.register("before-send", stop)  # type: ignore[attr-defined]
    with pytest.raises(AskedError) as found:
        call(**arguments)
    return str(found.value)


@pytest.mark.parametrize(
    ("environ", "mwaa", "s3control"),
    [
        (
            {},
            "https://api.airflow.eu-west-1.amazonaws.com/environments/team",
            "https://111122223333.s3-control.eu-west-1.amazonaws.com/v20180820/configuration/publicAccessBlock",
        ),
        (
            {"AWS_ENDPOINT_URL": ELSEWHERE},
            f"{ELSEWHERE}/environments/team",
            f"{ELSEWHERE}/v20180820/configuration/publicAccessBlock",
        ),
        (
            {"AWS_ENDPOINT_URL_MWAA": ELSEWHERE, "AWS_ENDPOINT_URL_S3_CONTROL": ELSEWHERE},
            f"{ELSEWHERE}/environments/team",
            f"{ELSEWHERE}/v20180820/configuration/publicAccessBlock",
        ),
    ],
)
def test_an_endpoint_that_somebody_has_set_is_the_whole_one(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], mwaa: str, s3control: str
) -> None:
    """AWS's own hosts take a prefix: `api.`, the account. No other host has such names."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    account = Account("eu-west-1")

    assert asked(account.client("mwaa").get_environment, Name="team") == mwaa
    assert asked(account.client("s3control").get_public_access_block, AccountId="111122223333") == s3control


def test_the_region_is_the_one_given_or_the_callers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no region"):
        Account.at(None)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")

    assert (Account.at(None).region, Account.at("eu-west-1").region) == ("eu-north-1", "eu-west-1")

    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(PenstockError, match="nobody"):
        Account.at(None)


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"])
def test_what_is_denied_is_said_with_what_it_takes(code: str) -> None:
    """The services name it differently."""
    refusal = botocore.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, "GetEnvironment")
    with pytest.raises(PenstockError, match=r"read it: .*GetEnvironment") as told, aws("read it", "it takes this"):
        raise refusal

    assert denied(refusal)
    assert told.value.fix == "give the caller the permission that AWS names; it takes this"
