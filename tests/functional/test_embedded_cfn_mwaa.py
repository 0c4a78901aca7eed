"""MWAA environments of the embedded AWS's CloudFormation: made, changed, and refused as MWAA does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.embedded import Aws, aws, delete, deploy
from tests.functional.embedded_mwaa import airflow

__all__ = ["aws"]


def test_mwaa_environment(aws: Aws) -> None:
    """Create, update in place, refuse what is fixed at creation, delete.

    Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-mwaa-environment.html (update requires)
    """
    mwaa = aws.client("mwaa")
    deploy(aws.endpoint, "airflow", airflow(aws))
    environment = mwaa.get_environment(Name="acme")["Environment"]
    deploy(aws.endpoint, "airflow", airflow(aws, MaxWorkers=7))
    updated = mwaa.get_environment(Name="acme")["Environment"]
    swapped = [aws.outputs["Subnet1"], aws.outputs["Subnet0"]]
    network = {"SubnetIds": swapped, "SecurityGroupIds": [aws.outputs["Group"]]}

    with pytest.raises(AssertionError, match="Rename acme"):
        deploy(aws.endpoint, "airflow", airflow(aws, NetworkConfiguration=network))

    assert (environment["Status"], environment["MaxWorkers"], updated["MaxWorkers"]) == ("AVAILABLE", 3, 7)
    assert environment["LoggingConfiguration"]["TaskLogs"]["CloudWatchLogGroupArn"].endswith("airflow-acme-Task")
    assert delete(aws.endpoint, "airflow") == "DELETE_COMPLETE"
    assert mwaa.list_environments()["Environments"] == []


@pytest.mark.parametrize(("access", "count"), [("PRIVATE_ONLY", 2), ("PUBLIC_ONLY", 1)])
def test_mwaa_waits_for_the_endpoints_of_its_customer(aws: Aws, access: str, count: int) -> None:
    """The stack goes on at PENDING, by the names of the services; the environment when the last endpoint is there.

    Source: docs.aws.amazon.com/mwaa/latest/userguide/vpc-endpoint-management.html; CreateHandler.java in
    aws-cloudformation/aws-cloudformation-resource-providers-mwaa
    """
    template = airflow(aws, EndpointManagement="CUSTOMER", WebserverAccessMode=access)
    mwaa, ec2 = aws.client("mwaa"), aws.client("ec2")
    (subnet,) = ec2.describe_subnets(SubnetIds=[aws.outputs["Subnet0"]])["Subnets"]
    attributes = ["DatabaseVpcEndpointService", "WebserverVpcEndpointService"][:count]
    for number in range(count):
        deploy(aws.endpoint, "waits", template)
        assert mwaa.get_environment(Name="acme")["Environment"]["Status"] == "PENDING"
        properties = {
            "VpcEndpointType": "Interface",
            "VpcId": subnet["VpcId"],
            "ServiceName": {"Fn::GetAtt": ["Environment", attributes[number]]},
            "SubnetIds": [aws.outputs["Subnet0"], aws.outputs["Subnet1"]],
        }
        template["Resources"][f"Endpoint{number}"] = {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}
    deploy(aws.endpoint, "waits", template)

    environment = mwaa.get_environment(Name="acme")["Environment"]
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert environment["Status"] == "AVAILABLE"
    assert ("WebserverVpcEndpointService" in environment) == (count == 2)
    assert {one["ServiceName"] for one in endpoints} >= {environment[name] for name in attributes}
    delete(aws.endpoint, "waits")


def test_mwaa_changes_its_version_by_way_of_2_11(aws: Aws) -> None:
    """From 2.10 to 3 in one step is refused, and the version stays; over 2.11 it works, there and back.

    Source: Amazon MWAA User Guide, "Changing the Apache Airflow version"
    """
    mwaa = aws.client("mwaa")
    deploy(aws.endpoint, "airflow", airflow(aws, AirflowVersion="2.10.3"))

    with pytest.raises(AssertionError, match=r"2\.10\.3 cannot change to 3\.0\.6 in place"):
        deploy(aws.endpoint, "airflow", airflow(aws, AirflowVersion="3.0.6"))

    assert mwaa.get_environment(Name="acme")["Environment"]["AirflowVersion"] == "2.10.3"
    for version in ("2.11.0", "3.0.6", "2.11.0"):
        deploy(aws.endpoint, "airflow", airflow(aws, AirflowVersion=version))
        assert mwaa.get_environment(Name="acme")["Environment"]["AirflowVersion"] == version
    assert delete(aws.endpoint, "airflow") == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("name", {"Name": "1st"}, "'1st' at 'Name'"),
        ("class", {"EnvironmentClass": "nope"}, "'nope' at 'EnvironmentClass'"),
        ("subnets", {"NetworkConfiguration": {"SubnetIds": ["subnet-1"]}}, "length greater than or equal to 2"),
        ("role", {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/none"}, "role/none does not exist"),
        ("workers", {"MinWorkers": 5, "MaxWorkers": 2}, "minimum 5 and maximum 2"),
        ("bucket", {"SourceBucketArn": "arn:aws:s3:::tool-bucket"}, "versioning"),
        ("requirements", {"RequirementsS3Path": "r.txt"}, "there is no r.txt in the source bucket"),
        ("schedulers", {"Schedulers": 1}, "must be 2 to 5"),
    ],
)
def test_mwaa_environment_is_checked(aws: Aws, name: str, change: dict[str, Any], words: str) -> None:
    """What MWAA's CreateEnvironment refuses, CloudFormation passes on.

    Source: docs.aws.amazon.com/mwaa/latest/API/API_CreateEnvironment.html
    """
    with pytest.raises(AssertionError, match=words):
        deploy(aws.endpoint, f"airflow-{name}", airflow(aws, **change))
    # A template's failed create leaves what it made before; the next case needs its names.
    assert aws.client("mwaa").list_environments()["Environments"] == []


def test_mwaa_reads_a_file_in_the_version_that_is_named(aws: Aws) -> None:
    """A version that does not exist is refused; so is a new key without a version: MWAA may read the previous one.

    Source: botocore's mwaa model, `RequirementsS3ObjectVersion`: "You must specify a version each time"
    """
    deploy(aws.endpoint, "files", airflow(aws))
    s3, mwaa = aws.client("s3"), aws.client("mwaa")
    bucket = mwaa.get_environment(Name="acme")["Environment"]["SourceBucketArn"].rsplit(":", 1)[-1]
    versions = {key: s3.put_object(Bucket=bucket, Key=key, Body=b"")["VersionId"] for key in ("a.txt", "b.txt")}
    named = {"RequirementsS3Path": "a.txt", "RequirementsS3ObjectVersion": versions["a.txt"]}
    deploy(aws.endpoint, "files", airflow(aws, **named))

    for wrong in ({**named, "RequirementsS3ObjectVersion": "none"}, {"RequirementsS3Path": "b.txt"}):
        with pytest.raises(AssertionError, match="has no version"):
            deploy(aws.endpoint, "files", airflow(aws, **wrong))
    environment = mwaa.get_environment(Name="acme")["Environment"]
    assert {name: environment[name] for name in named} == named
    deploy(
        aws.endpoint,
        "files",
        airflow(aws, RequirementsS3Path="b.txt", RequirementsS3ObjectVersion=versions["b.txt"]),
    )
    for key, version in versions.items():
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    assert delete(aws.endpoint, "files") == "DELETE_COMPLETE"
