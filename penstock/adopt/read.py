"""Ask AWS for one MWAA environment. Reading calls only; a look-up that fails never keeps the others from being made."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import boto3
import botocore.exceptions
from botocore.config import Config

from penstock.adopt.bucket import BucketLook
from penstock.adopt.live import Gone, Live, Unread
from penstock.adopt.look import Clients
from penstock.adopt.network import NetworkLook
from penstock.adopt.role import READS, statements
from penstock.project.problems import nearest
from penstock_runtime.errors import InputError, PenstockError

T = TypeVar("T")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
_HOST_PREFIX = {"mwaa": "AWS_ENDPOINT_URL_MWAA", "s3control": "AWS_ENDPOINT_URL_S3_CONTROL"}
"""Services whose calls put a prefix before the host, and the variable that sets another address for them."""
_NEEDED = ("AirflowVersion", "SourceBucketArn", "DagS3Path", "ExecutionRoleArn")
"""What `airflow.use` cannot be written without. The API's model requires no member of `Environment` at all."""


def connect(region: str | None) -> Clients:
    """Clients of one region, with the caller's credentials; None: the region that these come with.

    Raises:
        InputError: there is no region.
    """
    session = boto3.session.Session(region_name=region)
    if session.region_name is None:
        raise InputError("the project names no region", fix="add --region, or a region to the project file")

    def client(service: str) -> Any:
        # The prefix (`api.`, the account) goes before AWS's host; an endpoint that somebody has set is the whole one.
        own_endpoint = any(name in os.environ for name in ("AWS_ENDPOINT_URL", _HOST_PREFIX.get(service, "")))
        config = Config(retries={"total_max_attempts": 3}, connect_timeout=10, inject_host_prefix=not own_endpoint)
        make: Any = session.client
        made = make(service, config=config)
        if own_endpoint:
            # S3 Control's rules of endpoints add the account whatever the configuration says; before it is signed.
            made.meta.events.register_first("request-created.s3-control", _without_account)
        return made

    return client


def _without_account(request: Any, **_: Any) -> None:
    request.url = re.sub(r"^(https?://)[0-9]{12}\.", r"\1", request.url)


def read(name: str, clients: Clients) -> Live:
    """The environment of that name.

    Raises:
        InputError: there is none of that name in this account and region.
        PenstockError: AWS cannot be reached, or does not tell of the environment itself.
    """
    try:
        found = _environment(name, clients("mwaa"))
    except botocore.exceptions.NoCredentialsError as error:
        raise PenstockError("there are no AWS credentials", fix="aws configure, or set AWS_PROFILE") from error
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise PenstockError(
            f"AWS does not tell of the environment {name[:80]!r}: {error}",
            fix="check credentials, region and network; it takes airflow:GetEnvironment and airflow:ListEnvironments",
        ) from error
    return _Reader(name, found, clients).read()


def _environment(name: str, mwaa: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = mwaa.get_environment(Name=name).get("Environment") or {}
        return found
    except botocore.exceptions.ParamValidationError as error:
        raise InputError(f"{name[:90]!r} cannot be the name of an environment", fix="check it") from error
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "NotFound"):
            raise
    pages = mwaa.get_paginator("list_environments").paginate()
    names = [one for page in pages for one in page["Environments"]]
    fix = nearest(name, names, kind="environment") if names else "name another region with --region"
    raise InputError(f"there is no MWAA environment {name[:80]!r} in {mwaa.meta.region_name}", fix=fix)


class _Reader:
    def __init__(self, name: str, found: dict[str, Any], clients: Clients) -> None:
        self._name, self._found, self._clients = name, found, clients
        self._gone: list[Gone] = []
        self._unread: list[Unread] = []

    def read(self) -> Live:
        status = str(self._found.get("Status", "in a state that AWS does not name"))
        missing = [one for one in _NEEDED if not str(self._found.get(one, "")).strip("/")]
        if missing:
            what = f"AWS tells no {' and no '.join(missing)} of {self._name}, which is {status}"
            raise PenstockError(what, fix="adopt it when it is AVAILABLE: aws mwaa get-environment shows what there is")
        role = str(self._found["ExecutionRoleArn"])
        account = role.split(":")[4]
        network = self._found.get("NetworkConfiguration") or {}
        groups, subnets = tuple(network.get("SecurityGroupIds") or ()), tuple(network.get("SubnetIds") or ())
        if not groups or not subnets:
            self._unread.append(Unread("airflow:GetEnvironment", "AWS tells nothing of the environment's network"))
        bucket = BucketLook(str(self._found["SourceBucketArn"]).rsplit(":", 1)[-1], account, self._clients, self._look)
        looks = NetworkLook(self._clients, self._look)
        return Live(
            name=self._name,
            account=account,
            status=status,
            version=str(self._found["AirflowVersion"]),
            bucket=bucket.name,
            dags=str(self._found["DagS3Path"]).strip("/"),
            execution_role=role,
            security_groups=groups,
            logs={
                module: bool((one or {}).get("Enabled"))
                for module, one in (self._found.get("LoggingConfiguration") or {}).items()
            },
            versioned=bucket.versioned(),
            public_access_blocked=bucket.public_access_blocked(),
            kms_key=bucket.kms_key(),
            role=self._look(
                READS,
                lambda: statements(self._clients("iam"), role.rsplit("/", 1)[-1]),
                {"NoSuchEntity": Gone(f"the execution role {role} is gone", "make it again: no Airflow task can run")},
            ),
            subnets=looks.subnets(subnets),
            self_referencing=looks.self_referencing(groups),
            gone=tuple(dict.fromkeys(self._gone)),
            unread=tuple(dict.fromkeys(self._unread)),
        )

    def _look(self, permission: str, look: Callable[[], T], gone: Mapping[str, Gone] | None = None) -> T | None:
        """See `Look`."""
        try:
            return look()
        except botocore.exceptions.ClientError as error:
            code = str(error.response["Error"]["Code"])
            if gone is not None and code in gone:
                self._gone.append(gone[code])
            else:
                self._unread.append(Unread(permission, "" if code in _DENIED else str(error)))
        except botocore.exceptions.BotoCoreError as error:
            self._unread.append(Unread(permission, str(error)))
        return None
