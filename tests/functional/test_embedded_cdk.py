"""The real CDK CLI bootstraps and deploys to the embedded AWS, over TLS and with IAM enforced."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.local.aws.endpoint import Endpoint
from tests.functional.cdk_command import cdk, environment
from tests.functional.embedded import ACCOUNT, REGION, serving

APP = """
import os
import aws_cdk as cdk
from aws_cdk import (aws_ec2 as ec2, aws_ecs as ecs, aws_events as events, aws_events_targets as targets,
    aws_iam as iam, aws_logs as logs, aws_mwaa as mwaa, aws_s3 as s3, aws_s3_deployment as s3d, aws_sns as sns)

app = cdk.App()
env = cdk.Environment(account=os.environ["ACCOUNT"], region=os.environ["AWS_REGION"])
net = cdk.Stack(app, "net", env=env)
vpc = ec2.Vpc(net, "Vpc", ip_addresses=ec2.IpAddresses.cidr("10.20.0.0/16"), max_azs=2, nat_gateways=1)
vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
flow = logs.LogGroup(net, "Flow", removal_policy=cdk.RemovalPolicy.DESTROY)
vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow))

top = cdk.Stack(app, "top", env=env)
group = ec2.SecurityGroup(top, "Tasks", vpc=vpc)
group.add_ingress_rule(group, ec2.Port.all_traffic())
cluster = ecs.Cluster(top, "Cluster", vpc=vpc, cluster_name="penstock", enable_fargate_capacity_providers=True)
bucket = s3.Bucket(top, "Dags", bucket_name="penstock-dags", versioned=True, enforce_ssl=True, auto_delete_objects=True,
    block_public_access=s3.BlockPublicAccess.BLOCK_ALL, removal_policy=cdk.RemovalPolicy.DESTROY)
s3d.BucketDeployment(top, "Bundle", destination_bucket=bucket, destination_key_prefix="dags/acme", prune=True,
    sources=[s3d.Source.asset("dags"), s3d.Source.json_data("resources.json", {
        "cluster": cluster.cluster_name, "group": group.security_group_id,
        "subnets": [one.subnet_id for one in vpc.private_subnets]})])
definition = ecs.FargateTaskDefinition(top, "Definition", family="acme", cpu=256, memory_limit_mib=512)
definition.add_container("main", image=ecs.ContainerImage.from_asset("image"),
    logging=ecs.LogDrivers.aws_logs(stream_prefix="penstock", log_retention=None))
topic = sns.Topic(top, "Alerts", enforce_ssl=True)
rule = events.Rule(top, "Stopped", event_pattern=events.EventPattern(source=["aws.ecs"]))
rule.add_target(targets.SnsTopic(topic))
role = iam.Role(top, "Airflow", path="/penstock/", role_name="acme-airflow", assumed_by=iam.CompositePrincipal(
    iam.ServicePrincipal("airflow.amazonaws.com"), iam.ServicePrincipal("airflow-env.amazonaws.com")))
bucket.grant_read(role)
environment = mwaa.CfnEnvironment(top, "Environment", name="acme", airflow_version="3.0.6", dag_s3_path="dags",
    environment_class="mw1.small", execution_role_arn=role.role_arn, source_bucket_arn=bucket.bucket_arn,
    network_configuration=mwaa.CfnEnvironment.NetworkConfigurationProperty(
        security_group_ids=[group.security_group_id], subnet_ids=[one.subnet_id for one in vpc.private_subnets]))
app.synth()
"""

DOCKER = """#!{python}
import sys, boto3
if sys.argv[1] == "push":
    repository, _, tag = sys.argv[2].rpartition("/")[2].rpartition(":")
    boto3.client("ecr").put_image(repositoryName=repository, imageTag=tag, imageManifest='{{"schemaVersion": 2}}')
elif sys.argv[1] == "inspect":
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with serving(tmp_path_factory.mktemp("aws")) as server:
        yield server.endpoint


@pytest.fixture(scope="module")
def app(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an app that is synthesized, bootstrapped and deployed."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP)
    (folder / "dags").mkdir()
    (folder / "dags" / "one.py").write_text("print('one')\n")
    (folder / "image").mkdir()
    (folder / "image" / "Dockerfile").write_text("FROM scratch\n")
    docker = folder / "docker"
    docker.write_text(DOCKER.format(python=sys.executable))
    docker.chmod(0o755)
    cdk(endpoint, folder, "bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=folder / "dags")
    cdk_deploy(endpoint, folder)
    return folder


def test_deploy_makes_what_the_app_says(endpoint: Endpoint, app: Path) -> None:
    """The image asset is in the bootstrap repository, the bundle in the bucket, deploy-time values in it."""
    s3 = endpoint.client("s3")
    mwaa = endpoint.client("mwaa").get_environment(Name="acme")["Environment"]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="penstock-dags")["Contents"]]
    resources = json.loads(s3.get_object(Bucket="penstock-dags", Key="dags/acme/resources.json")["Body"].read())
    repository = endpoint.client("ecr").describe_repositories()["repositories"][0]["repositoryName"]

    assert mwaa["Status"] == "AVAILABLE"
    assert keys == ["dags/acme/one.py", "dags/acme/resources.json"]
    assert resources["cluster"] == "penstock"
    assert resources["subnets"] == mwaa["NetworkConfiguration"]["SubnetIds"]
    assert [resources["group"]] == mwaa["NetworkConfiguration"]["SecurityGroupIds"]
    assert endpoint.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
    group = endpoint.client("ec2").describe_security_groups(GroupIds=[resources["group"]])["SecurityGroups"][0]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == resources["group"]


def test_second_deploy_and_destroy(endpoint: Endpoint, app: Path) -> None:
    """A changed app updates in place: the old revision is INACTIVE, a pruned file is gone; destroy leaves nothing."""
    text = (app / "app.py").read_text()
    (app / "app.py").write_text(text.replace("memory_limit_mib=512", "memory_limit_mib=1024"))
    (app / "dags" / "one.py").rename(app / "dags" / "two.py")

    cdk_deploy(endpoint, app)

    ecs = endpoint.client("ecs")
    keys = [one["Key"] for one in endpoint.client("s3").list_objects_v2(Bucket="penstock-dags")["Contents"]]
    assert keys == ["dags/acme/resources.json", "dags/acme/two.py"]
    assert ecs.describe_task_definition(taskDefinition="acme:1")["taskDefinition"]["status"] == "INACTIVE"
    assert ecs.describe_task_definition(taskDefinition="acme")["taskDefinition"]["memory"] == "1024"

    cdk(endpoint, app, "destroy", "--all", "--force", "-a", "cdk.out")
    stacks = endpoint.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
    assert [one["StackName"] for one in stacks["StackSummaries"]] == ["CDKToolkit"]
    assert endpoint.client("mwaa").list_environments()["Environments"] == []


def cdk_deploy(endpoint: Endpoint, app: Path) -> None:
    shutil.rmtree(app / "cdk.out", ignore_errors=True)
    environ = {**environment(endpoint), "CDK_OUTDIR": str(app / "cdk.out")}
    subprocess.run([sys.executable, "app.py"], cwd=app, env=environ, check=True)
    cdk(endpoint, app, "deploy", "--all", "--require-approval", "never", "-a", "cdk.out")
