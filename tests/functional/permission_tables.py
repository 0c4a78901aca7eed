"""What each grant of the deployed roles is for: the step that fails without it, or why no step here can fail.

Keys: kind of role, action, resource (`permission_grants.Roles.key`).
"""

from __future__ import annotations

from tests.functional.permission_grants import Key

LOG_STREAMS = "log-group:{log_group}:log-stream:penstock/*"
MWAA_LOGS = "log-group:airflow-{prefix}-*"

STEPS: dict[Key, str] = {
    ("airflow", "s3:List*", "{dags}"): "synchronize",
    ("airflow", "s3:GetObject*", "{dags}/*"): "synchronize",
    ("airflow", "ecs:RunTask", "task-definition/{family}:*"): "start",
    ("airflow", "iam:PassRole", "role/{role}-task"): "start",
    ("airflow", "iam:PassRole", "role/{role}-exec"): "start",
    ("airflow", "ecs:TagResource", "task/{prefix}/*"): "start",
    ("airflow", "ecs:ListTasks", "*"): "find",
    ("airflow", "ecs:DescribeTasks", "task/{prefix}/*"): "watch",
    ("airflow", "logs:GetLogEvents", LOG_STREAMS): "log",
    ("airflow", "ecs:StopTask", "task/{prefix}/*"): "stop",
    ("exec", "secretsmanager:GetSecretValue", "secret:{secret}"): "get the secrets",
    ("exec", "secretsmanager:GetSecretValue", "secret:{partial}"): "get the secrets",
    ("exec", "ssm:GetParameters", "parameter/{parameter}"): "get the secrets",
    ("exec", "ecr:GetAuthorizationToken", "*"): "log in to the registry",
    ("exec", "ecr:BatchCheckLayerAvailability", "repository/{images}"): "pull the image",
    ("exec", "ecr:BatchGetImage", "repository/{images}"): "pull the image",
    ("exec", "ecr:GetDownloadUrlForLayer", "repository/{images}"): "pull the image",
    ("exec", "logs:CreateLogStream", LOG_STREAMS): "open the log",
    ("exec", "logs:PutLogEvents", LOG_STREAMS): "open the log",
    ("task", "s3:GetObject", "{artifacts}/runtime/*"): "fetch the runtime",
    ("task", "s3:GetObject", "{artifacts}/configs/*"): "fetch the config",
    ("task", "s3:GetObject", "{artifacts}/state/*"): "keep the state",
    ("task", "s3:PutObject", "{artifacts}/state/*"): "keep the state",
    ("task", "s3:DeleteObject", "{artifacts}/state/*"): "keep the state",
    ("task", "s3:ListBucket", "{artifacts}"): "keep the state",
}
"""Grants that are needed: the step that fails without each, while all others go on."""

TOLD: dict[str, str] = {
    "get the secrets": "unable to pull secrets",
    "log in to the registry": "unable to pull secrets or registry auth",
    "pull the image": "CannotPullContainerError: pull image manifest",
    "open the log": "failed to validate logger args: create stream",
    "fetch the runtime": "penstock: cannot fetch the runtime s3://",
    "fetch the config": "penstock: cannot use s3://",
    "keep the state": "Failed to persist state to the configured state backend",
}
"""What a person reads when a step of ECS or of a container fails: in `stoppedReason`, or in the log."""

_MWAA_BUCKET = "MWAA itself looks at the bucket's versioning and public access; its control plane is not real here"
_OTHER_LEVEL = "the policy in MWAA's guide names bucket and objects together; no action of the kind is on this one"
_MWAA_LOGS = "MWAA's own log handler writes and reads there; here Airflow keeps its logs on disk"
_CELERY = "MWAA's Celery executor uses queues in an account of AWS's; here Airflow runs with its LocalExecutor"
_CELERY_KEY = "the key of those queues, in an account of AWS's"

NOT_HERE: dict[Key, str] = {
    ("airflow", "airflow:PublishMetrics", "environment/{prefix}"): "sent by MWAA's agents, not by Airflow",
    ("airflow", "cloudwatch:PutMetricData", "*"): "sent by MWAA's agents, not by Airflow",
    ("airflow", "logs:DescribeLogGroups", "*"): _MWAA_LOGS,
    ("airflow", "s3:GetAccountPublicAccessBlock", "*"): _MWAA_BUCKET,
    ("airflow", "s3:GetBucket*", "{dags}"): _MWAA_BUCKET,
    ("airflow", "s3:GetBucket*", "{dags}/*"): _OTHER_LEVEL,
    ("airflow", "s3:GetObject*", "{dags}"): _OTHER_LEVEL,
    ("airflow", "s3:List*", "{dags}/*"): _OTHER_LEVEL,
    **{
        ("airflow", f"logs:{action}", MWAA_LOGS): _MWAA_LOGS
        for action in (
            "CreateLogGroup",
            "CreateLogStream",
            "GetLogEvents",
            "GetLogGroupFields",
            "GetLogRecord",
            "GetQueryResults",
            "PutLogEvents",
        )
    },
    **{
        ("airflow", f"sqs:{action}", "airflow-celery-*"): _CELERY
        for action in (
            "ChangeMessageVisibility",
            "DeleteMessage",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ReceiveMessage",
            "SendMessage",
        )
    },
    **{
        ("airflow", f"kms:{action}", "not key/*"): _CELERY_KEY
        for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*")
    },
}
"""Grants that MWAA asks for and that nothing of ours uses: the embedded AWS has nobody to refuse them to."""
