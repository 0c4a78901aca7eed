"""A template of an MWAA environment on the embedded AWS. Tests import it."""

from __future__ import annotations

from typing import Any

from tests.functional.embedded import Aws, policy, trust


def airflow(aws: Aws, **change: Any) -> dict[str, Any]:
    """A role, a bucket and an environment, whose properties `change` overrides."""
    role = {
        "AssumeRolePolicyDocument": trust("airflow.amazonaws.com", "airflow-env.amazonaws.com"),
        "Policies": [policy("s3", {"Action": "s3:GetObject", "Resource": "*"})],
    }
    block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    bucket = {
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": dict.fromkeys(block, True),
    }
    environment = {
        "Name": "acme",
        "EnvironmentClass": "mw1.small",
        "DagS3Path": "dags",
        "MaxWorkers": 3,
        "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "SourceBucketArn": {"Fn::GetAtt": ["Bucket", "Arn"]},
        "NetworkConfiguration": {
            "SubnetIds": [aws.outputs["Subnet0"], aws.outputs["Subnet1"]],
            "SecurityGroupIds": [aws.outputs["Group"]],
        },
        "LoggingConfiguration": {"TaskLogs": {"Enabled": True, "LogLevel": "INFO"}},
        **change,
    }
    kinds = {"Role": "IAM::Role", "Bucket": "S3::Bucket", "Environment": "MWAA::Environment"}
    bodies = {"Role": role, "Bucket": bucket, "Environment": environment}
    resources = {name: {"Type": f"AWS::{kinds[name]}", "Properties": bodies[name]} for name in kinds}
    return {"Resources": resources}
