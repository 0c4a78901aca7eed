"""The services of the embedded AWS, and their operations, by botocore's models."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel

NAMES = {
    "airflow": "mwaa",
    "cloudformation": "cloudformation",
    "ec2": "ec2",
    "ecr": "ecr",
    "ecs": "ecs",
    "events": "events",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "states": "stepfunctions",
    "sts": "sts",
    "tagging": "resourcegroupstaggingapi",
}
"""Name in a signature's scope → name in boto3. A rule may use either; counts have boto3's."""


def canonical(name: str) -> str:
    """boto3's name of a service; a name that is not known stays."""
    return NAMES.get(name, name)


@cache
def model(service: str) -> ServiceModel:
    """The model of a service, by boto3's name; the largest takes 0.1 seconds."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operations(service: str) -> frozenset[str]:
    """The names of a service's operations."""
    return frozenset(model(service).operation_names)
