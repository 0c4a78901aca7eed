"""The caller's AWS account: clients of one region, and AWS's refusals as errors of ours."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock_runtime.errors import InputError, PenstockError
from penstock_runtime.plan.plan import Plan

if TYPE_CHECKING:  # elsewhere where it is used: loading it takes longer than a command that calls nobody
    import boto3
    import botocore.exceptions

MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
"""S3's codes for an object or a bucket that does not exist."""
THREADS = 16
"""Uploads at once; as many connections are kept open."""
CONNECT_SECONDS = 10
"""For one attempt to connect; botocore's own minute, five times over, looks like a command that hangs."""
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "RequestExpired"})


_HOST_PREFIX = {"mwaa": "AWS_ENDPOINT_URL_MWAA", "s3control": "AWS_ENDPOINT_URL_S3_CONTROL"}
"""Services whose calls put a prefix before the host, and the variable that sets another address for them."""


@dataclass(frozen=True)
class Account:
    """The account that the caller's credentials belong to, in one region."""

    region: str

    @classmethod
    def at(cls, region: str | None) -> Account:
        """The account in one region; None: in the region that the credentials come with.

        Raises:
            InputError: they come with none.
            PenstockError: AWS_PROFILE names no profile.
        """
        import boto3

        with aws("find the region"):
            chosen = region or boto3.session.Session().region_name
        if chosen is None:
            raise InputError("the project names no region", fix="add --region, or a region to the project file")
        return cls(chosen)

    @cached_property
    def _session(self) -> boto3.session.Session:
        import boto3

        return boto3.session.Session(region_name=self.region)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client; endpoint, profile and credentials come from the environment, as for any AWS tool.

        Args:
            region: another one than the account's.
        """
        from botocore.config import Config

        # The prefix (`api.`, the account) goes before AWS's host; an endpoint that somebody has set is the whole one.
        own_endpoint = any(name in os.environ for name in ("AWS_ENDPOINT_URL", _HOST_PREFIX.get(service, "")))
        config = Config(
            max_pool_connections=THREADS,
            retries={"mode": "standard", "max_attempts": 5},
            connect_timeout=CONNECT_SECONDS,
            inject_host_prefix=not own_endpoint,
        )
        client = self._session.client(service, region_name=region, config=config)  # type: ignore[call-overload]
        if own_endpoint:
            # S3 Control's rules of endpoints add the account whatever the configuration says; before it is signed.
            client.meta.events.register_first("request-created.s3-control", _without_account)
        return client

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
        number = self.number
        if plan.account not in (None, number):
            raise PenstockError(
                f"environment {plan.environment} is in account {plan.account}, the credentials are of {number}",
                fix=f"use credentials of {plan.account}, for example with AWS_PROFILE",
            )


def _without_account(request: Any, **_: Any) -> None:
    request.url = re.sub(r"^(https?://)[0-9]{12}\.", r"\1", request.url)


@contextlib.contextmanager
def aws(what: str, needs: str = "docs/permissions.md lists what push and diff use") -> Iterator[None]:
    """Turn what AWS refuses while we do `what` into an error with its fix.

    Args:
        needs: which permissions `what` takes, or where to read that.

    Raises:
        PenstockError: AWS refused, or could not be reached.
    """
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.NoCredentialsError as error:
        fix = "set AWS_PROFILE, or sign in: aws sso login"
        raise PenstockError("there are no AWS credentials", fix=fix) from error
    except botocore.exceptions.ClientError as error:
        code = error_code(error)
        fix = "read AWS's message; then try again"
        if denied(error):
            fix = f"give the caller the permission that AWS names; {needs}"
        elif code in _EXPIRED:
            fix = "sign in again: the credentials have expired or are wrong"
        raise PenstockError(f"{what}: {error}", fix=fix) from error
    except botocore.exceptions.BotoCoreError as error:
        raise PenstockError(f"{what}: {error}", fix="check the network, the region and AWS_PROFILE") from error


def denied(error: botocore.exceptions.ClientError) -> bool:
    """Whether the caller lacks the permission."""
    return error_code(error) in _DENIED


def error_code(error: botocore.exceptions.ClientError) -> str:
    """AWS's code for what went wrong: `AccessDenied`."""
    return str(error.response.get("Error", {}).get("Code", ""))
