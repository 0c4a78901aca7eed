"""Ask AWS for one MWAA environment. Reading calls only; a look-up that fails never keeps the others from being made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import botocore.exceptions

from penstock.adopt.bucket import BucketLook
from penstock.adopt.live import Gone, Live, Unread
from penstock.adopt.lookups import Clients
from penstock.adopt.network import NetworkLook
from penstock.adopt.role import READS, statements
from penstock.deployed.account import aws, denied, error_code
from penstock.project.document.problems import nearest
from penstock_runtime.errors import InputError, PenstockError

T = TypeVar("T")
_NEEDED = ("AirflowVersion", "SourceBucketArn", "DagS3Path", "ExecutionRoleArn")
"""What `airflow.use` cannot be written without. The API's model requires no member of `Environment` at all."""


def read(name: str, clients: Clients) -> Live:
    """The environment of that name.

    Raises:
        InputError: there is none of that name in this account and region.
        PenstockError: AWS cannot be reached, or does not describe the environment itself.
    """
    with aws(f"read the environment {name[:80]!r}", "it takes airflow:GetEnvironment and airflow:ListEnvironments"):
        environment = _environment(name, clients("mwaa"))
    return _Reader(name, environment, clients).read()


def _environment(name: str, mwaa: Any) -> dict[str, Any]:
    try:
        environment: dict[str, Any] = mwaa.get_environment(Name=name).get("Environment") or {}
        return environment
    except botocore.exceptions.ParamValidationError as error:
        raise InputError(f"{name[:90]!r} cannot be the name of an environment", fix="check it") from error
    except botocore.exceptions.ClientError as error:
        if error_code(error) not in ("ResourceNotFoundException", "NotFound"):
            raise
    pages = mwaa.get_paginator("list_environments").paginate()
    names = [environment for page in pages for environment in page["Environments"]]
    fix = nearest(name, names, kind="environment") if names else "name another region with --region"
    raise InputError(f"there is no MWAA environment {name[:80]!r} in {mwaa.meta.region_name}", fix=fix)


class _Reader:
    def __init__(self, name: str, environment: dict[str, Any], clients: Clients) -> None:
        self._name, self._environment, self._clients = name, environment, clients
        self._gone: list[Gone] = []
        self._unread: list[Unread] = []

    def read(self) -> Live:
        status = str(self._environment.get("Status", "in a state that AWS does not name"))
        missing = [key for key in _NEEDED if not str(self._environment.get(key, "")).strip("/")]
        if missing:
            what = f"AWS tells no {' and no '.join(missing)} of {self._name}, which is {status}"
            raise PenstockError(what, fix="adopt it when it is AVAILABLE: aws mwaa get-environment shows what there is")
        role = str(self._environment["ExecutionRoleArn"])
        account = role.split(":")[4]
        network = self._environment.get("NetworkConfiguration") or {}
        groups, subnets = tuple(network.get("SecurityGroupIds") or ()), tuple(network.get("SubnetIds") or ())
        if not groups or not subnets:
            self._unread.append(Unread("airflow:GetEnvironment", "AWS tells nothing of the environment's network"))
        bucket = BucketLook(
            str(self._environment["SourceBucketArn"]).rsplit(":", 1)[-1], account, self._clients, self._look
        )
        looks = NetworkLook(self._clients, self._look)
        return Live(
            name=self._name,
            account=account,
            status=status,
            version=str(self._environment["AirflowVersion"]),
            bucket=bucket.name,
            dags=str(self._environment["DagS3Path"]).strip("/"),
            execution_role=role,
            security_groups=groups,
            logs={
                module: bool((settings or {}).get("Enabled"))
                for module, settings in (self._environment.get("LoggingConfiguration") or {}).items()
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
            code = error_code(error)
            if gone is not None and code in gone:
                self._gone.append(gone[code])
            else:
                self._unread.append(Unread(permission, "" if denied(error) else str(error)))
        except botocore.exceptions.BotoCoreError as error:
            self._unread.append(Unread(permission, str(error)))
        return None
