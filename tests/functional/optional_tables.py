"""What the grants are for that only some settings bring; `permission_tables` has those that every project has.

Kinds of roles beyond those: `policy` is the managed policies for an Airflow that exists, `upload` CDK's function in
somebody's bucket, `fill` CDK's function in a bucket of ours, `release` the function that makes a release live,
`endpoints` the state machine that makes MWAA's endpoints in a shared VPC, `starter` EventBridge that starts it.
"""

from __future__ import annotations

from tests.functional.permission_grants import Key
from tests.functional.permission_tables import STEPS as EVERYWHERE

KEY = "key/{key}"

RUN: dict[Key, str] = {
    ("policy", action, resource): step
    for (kind, action, resource), step in EVERYWHERE.items()
    if kind == "airflow" and step != "synchronize"
}
"""For the DAGs of a guest: the grants of the role that we make, without those for the bucket."""

FETCH: dict[Key, str] = {
    ("policy", "s3:GetObject", "{dags}/{folder}/*"): "synchronize",
    ("policy", "s3:ListBucket", "{dags}"): "synchronize",
    ("policy", "kms:Decrypt", KEY): "synchronize",
}
"""For an Airflow that is not MWAA: it fetches the bundle itself."""

UPLOAD: dict[Key, str] = {
    ("upload", "s3:GetObject", "{assets}/*"): "upload",
    ("upload", "s3:ListBucket", "{dags}"): "upload",
    ("upload", "s3:PutObject", "{dags}/{folder}/*"): "upload",
    ("upload", "kms:GenerateDataKey", KEY): "upload",
    ("upload", "kms:Decrypt", KEY): "upload",
    ("upload", "s3:AbortMultipartUpload", "{dags}/{folder}/*"): "clean up",
    ("upload", "s3:DeleteObject", "{dags}/{folder}/*"): "remove",
}

FILL: dict[Key, str] = {
    ("fill", "kms:GenerateDataKey", KEY): "upload",
    ("fill", "kms:Decrypt", KEY): "upload",
}

RELEASE: dict[Key, str] = {
    ("release", "s3:ListBucket", "{artifacts}"): "go live",
    ("release", "s3:GetObject", "{artifacts}/release.json"): "go live",
    ("release", "s3:PutObject", "{artifacts}/release.json"): "go live",
    ("release", "s3:ListBucket", "{dags}"): "go live",
    ("release", "s3:GetObject", "{dags}/{folder}/release/*"): "go live",
    ("release", "s3:PutObject", "{dags}/{folder}/*"): "go live",
    ("release", "s3:DeleteObject", "{dags}/{folder}/*"): "go live",
    ("release", "s3:DeleteObject", "{artifacts}/plans/*"): "sweep",
    ("release", "s3:DeleteObject", "{artifacts}/files/*"): "sweep",
    ("release", "s3:GetObject", "{artifacts}/plans/*"): "sweep",
    ("release", "kms:Decrypt", KEY): "go live",
    ("release", "kms:GenerateDataKey", KEY): "go live",
}

IMAGES: dict[Key, str] = {
    ("exec", "secretsmanager:GetSecretValue", "secret:{registry}"): "get the log-in",
    ("exec", "secretsmanager:GetSecretValue", "secret:{partial}"): "get the log-in",
    ("exec", "ecr:BatchImportUpstreamImage", "repository/{cache}"): "pull the image",
    ("exec", "ecr:CreateRepository", "repository/{cache}"): "pull the image",
    ("exec", "ecr:GetAuthorizationToken", "*"): "log in to the registry",
    **{
        ("exec", f"ecr:{action}", f"repository/{{{repository}}}"): "pull the image"
        for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        for repository in ("cache", "mirror")
    },
}

SECRETS: dict[Key, str] = {("exec", "kms:Decrypt", KEY): "decrypt the secrets"}

PERMITTED: dict[Key, str] = {("task", "s3:ListBucket", "{lake}"): "do what the project permits"}

FILES: dict[Key, str] = {("task", "s3:GetObject", "{artifacts}/files/*"): "fetch the files"}

PERMITTED_AIRFLOW: dict[Key, str] = {
    ("airflow", "secretsmanager:GetSecretValue", "secret:{connections}"): "find a connection"
}

DATABASE: dict[Key, str] = {
    ("airflow", "secretsmanager:GetSecretValue", "secret:{database}"): "read the secret",
    ("airflow", "secretsmanager:PutSecretValue", "secret:{database}"): "write the secret",
}
"""`airflow.catalogue` by the metadata database: the DAG that finds it."""

DATABASE_TASK: dict[Key, str] = {
    ("exec", "secretsmanager:GetSecretValue", "secret:{database}"): "get the address",
    ("exec", "secretsmanager:GetSecretValue", "secret:{partial database}"): "get the address",
}
"""The same: the task that reads it."""

REST_API: dict[Key, str] = {("task", "airflow:InvokeRestApi", "role/{viewer}"): "read the REST API"}
"""`airflow.catalogue` by MWAA's REST API."""

OWN_KEY: dict[Key, str] = {("airflow", "kms:Decrypt", KEY): "synchronize"}

ENDPOINTS: dict[Key, str] = {
    ("endpoints", "airflow:GetEnvironment", "environment/{prefix}"): "look",
    ("endpoints", "sts:AssumeRole", "role/{owner}"): "make the endpoints",
}
"""In a VPC that another account shares."""

START: dict[Key, str] = {("starter", "states:StartExecution", "stateMachine:{machine}"): "start"}

STEPS: dict[Key, str] = (
    RUN
    | FETCH
    | UPLOAD
    | FILL
    | RELEASE
    | IMAGES
    | SECRETS
    | PERMITTED
    | FILES
    | PERMITTED_AIRFLOW
    | DATABASE
    | DATABASE_TASK
    | REST_API
    | OWN_KEY
    | ENDPOINTS
    | START
)
"""Grants that are needed: the step that fails without each."""

_QUEUES = "the key encrypts Celery's queues too; here Airflow runs with its LocalExecutor"

NOT_HERE: dict[Key, str] = {
    ("airflow", f"kms:{action}", KEY): _QUEUES for action in ("DescribeKey", "Encrypt", "GenerateDataKey*")
}
"""Grants that MWAA asks for and that nothing of ours uses."""

ELSEWHERE: dict[Key, str] = {
    ("release", "cloudformation:DescribeStacks", "stack/{prefix}-airflow/{stack}"): "by every second deploy",
    ("release", "logs:CreateLogStream", "log-group:{log}:*"): "the function's log is not kept here",
    ("release", "logs:PutLogEvents", "log-group:{log}:*"): "the function's log is not kept here",
}
"""Grants that every project has, and where they are seen to."""
