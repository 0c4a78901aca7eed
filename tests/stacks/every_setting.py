"""A plan with every setting of the cluster, its roles, images and secrets."""

from __future__ import annotations

import dataclasses

from penstock_runtime.plan.plan import Ecs, Iam, Logs, Plan
from penstock_runtime.plan.task_definition import Image, Permission, PullThrough, Secret
from tests.stacks import plans

REGISTRY = Secret("REGISTRY", "secretsmanager", "acme/registry")


BOUNDARY = f"arn:aws:iam::{plans.ACCOUNT}:policy/limit"


KEY = f"arn:aws:kms:{plans.REGION}:{plans.ACCOUNT}:key/0a1b2c3d-0000-0000-0000-000000000000"


SECRETS_KEY = KEY.replace("0a1b2c3d", "5e5e5e5e")


FAR_KEY = SECRETS_KEY.replace(plans.REGION, "us-east-1")


RULE = PullThrough(
    "hub", "registry-1.docker.io", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/x"
)


CATALOG = f"arn:aws:glue:{plans.REGION}:{plans.ACCOUNT}:catalog"


QUEUE = f"arn:aws:sqs:{plans.REGION}:{plans.ACCOUNT}:refreshed"


IN_REGION = {"StringEquals": {"aws:RequestedRegion": [plans.REGION]}}


OPENMETADATA = dataclasses.replace(
    plans.OPENMETADATA,
    image=Image("cached", "hub/openmetadata/ingestion-base:1.12.14"),
    read_only_root=True,
    permissions=(
        Permission(("glue:GetTables", "glue:Get*"), (CATALOG,), IN_REGION, ""),
        Permission(("athena:ListDataCatalogs",), ("*",), {}, "Athena knows no resource for it."),
    ),
)


COMMAND = dataclasses.replace(
    plans.COMMAND,
    image=Image("registry", "registry.acme.io/x:1", credentials=REGISTRY),
    secret_kms_keys=(SECRETS_KEY,),
)


ELSEWHERE = Secret("ELSEWHERE", "secretsmanager", f"arn:aws:secretsmanager:us-east-1:{plans.ACCOUNT}:secret:x-AbCdEf")


MELTANO = dataclasses.replace(
    plans.MELTANO, secrets=(*plans.MELTANO.secrets, ELSEWHERE), secret_kms_keys=(SECRETS_KEY, FAR_KEY)
)


OWN_IMAGE = dataclasses.replace(plans.OWN_IMAGE, permissions=(Permission(("sqs:SendMessage",), (QUEUE,), {}, ""),))


OWN_READ_ONLY = dataclasses.replace(
    plans.OWN_IMAGE,
    family="acme-dev-command-ad5b1f01",
    role_prefix="acme-dev-ad5b1f2b",
    secrets=(),
    read_only_root=True,
)


PLAN: Plan = dataclasses.replace(
    plans.PLAN,
    task_definitions=(OPENMETADATA, MELTANO, COMMAND, OWN_IMAGE, OWN_READ_ONLY),
    ecs=Ecs("enhanced", stop_timeout_seconds=30, tmp_mib=64),
    logs=Logs("non-blocking", max_buffer_mib=25, kms_key=KEY),
    iam=Iam(BOUNDARY, "/data/", "dp-", "acme"),
    tags={"team": "data", "cost center": "42"},
    pull_through=(RULE,),
)
