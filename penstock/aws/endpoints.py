"""Interface endpoints that a VPC without internet needs: what calls which service."""

from __future__ import annotations

AIRFLOW_ENDPOINTS = ("airflow.api", "airflow.env", "airflow.ops", "kms", "logs", "monitoring", "sqs")
"""What MWAA calls in a VPC without internet, besides S3, whatever the access mode of its web server.
Source: Amazon MWAA User Guide, "Creating the required VPC service endpoints in an Amazon VPC with private routing"."""


COMMERCIAL_ENDPOINTS = ("airflow.ops",)
"""Of these, what there is in AWS's commercial partition only.
Source: awslabs/aws-support-tools, `MWAA/verify_env/verify_env.py`."""


TASK_ENDPOINTS = ("ecr.api", "ecr.dkr", "ecs", "sts")
"""What starts our tasks and what these call: ECR for images (Amazon ECS Developer Guide, "Migrating to Linux platform
version 1.4.0"), ECS for the operator, STS for roles that a task takes on. Logs are in the other list."""


SECRET_ENDPOINTS = {"secretsmanager": "secretsmanager", "ssm": "ssm"}
"""A store of secrets → the service that ECS reads it from (same page)."""


AGENT_ENDPOINTS = ("ecs-agent", "ecs-telemetry")
"""What ECS asks for as well in `AGENT_REGIONS`."""

BACKEND_STORES = {"SecretsManagerBackend": "secretsmanager", "SystemsManagerParameterStoreBackend": "ssm"}
"""Part of the value of Airflow's `secrets.backend` → the service that Airflow then reads its connections from."""

ENDPOINTS: dict[str, str | None] = {
    **{name: name for name in ("athena", "dms", "dynamodb", "ec2", "ecs", "elasticmapreduce", "events", "glue", "kms")},
    **{name: name for name in ("lakeformation", "lambda", "logs", "rds", "rds-data", "redshift", "redshift-data")},
    **{name: name for name in ("redshift-serverless", "secretsmanager", "sns", "sqs", "ssm", "states", "sts")},
    "airflow": "airflow.api",
    "cloudwatch": "monitoring",
    "codeartifact": "codeartifact.api",
    "ecr": "ecr.api",
    "firehose": "kinesis-firehose",
    "kinesis": "kinesis-streams",
    "sagemaker": "sagemaker.api",
    "s3": None,
}
"""What IAM calls a service → its endpoint; None: always there. AWS PrivateLink Guide, "AWS services that integrate with
AWS PrivateLink"."""
