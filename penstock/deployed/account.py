"""The caller's AWS account: clients of one region, and AWS's refusals as errors of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import botocore.exceptions
from botocore.config import Config

from penstock_runtime.errors import PenstockError
from penstock_runtime.plan import Plan

MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
"""Codes of S3 for what is not there."""
THREADS = 16
"""Uploads at once; as many connections are kept open."""
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "RequestExpired"})


@dataclass(frozen=True)
class Account:
    """The account that the caller's credentials belong to, in one region."""

    region: str

    @cached_property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session(region_name=self.region)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client; endpoint, profile and credentials come from the environment, as for any AWS tool.

        Args:
            region: another one than the account's.
        """
        config = Config(max_pool_connections=THREADS, retries={"mode": "standard", "max_attempts": 5})
        return self._session.client(service, region_name=region, config=config)  # type: ignore[call-overload]

    @cached_property
    def s3(self) -> Any:
        """S3's client."""
        return self.client("s3")

    @property
    def number(self) -> str:
        """Twelve digits, asked of AWS.

        Raises:
            PenstockError: there are no credentials, or AWS does not take them.
        """
        with aws("who am I"):
            return str(self.client("sts").get_caller_identity()["Account"])

    def check(self, plan: Plan) -> None:
        """Refuse credentials of another account than the plan's.

        Raises:
            PenstockError: they are of another one, or of none.
        """
        found = self.number
        if plan.account not in (None, found):
            raise PenstockError(
                f"environment {plan.environment} is in account {plan.account}, the credentials are of {found}",
                fix=f"use credentials of {plan.account}, for example with AWS_PROFILE",
            )


@contextlib.contextmanager
def aws(what: str) -> Iterator[None]:
    """Turn what AWS refuses while we do `what` into an error with its fix.

    Raises:
        PenstockError: AWS refused, or could not be reached.
    """
    try:
        yield
    except botocore.exceptions.NoCredentialsError as error:
        fix = "set AWS_PROFILE, or sign in: aws sso login"
        raise PenstockError("there are no AWS credentials", fix=fix) from error
    except botocore.exceptions.ClientError as error:
        code = error_code(error)
        fix = "read AWS's message; then try again"
        if code in _DENIED:
            fix = "give the caller the permission that AWS names; docs/permissions.md lists what push and diff use"
        elif code in _EXPIRED:
            fix = "sign in again: the credentials have expired or are wrong"
        raise PenstockError(f"{what}: {error}", fix=fix) from error
    except botocore.exceptions.BotoCoreError as error:
        raise PenstockError(f"{what}: {error}", fix="check the network, the region and AWS_PROFILE") from error


def error_code(error: botocore.exceptions.ClientError) -> str:
    """AWS's code for what went wrong: `AccessDenied`."""
    return str(error.response.get("Error", {}).get("Code", ""))
