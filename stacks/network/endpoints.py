"""The way to AWS's services out of a VPC without internet: VPC endpoints, closed to all but tasks and MWAA."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from penstock_runtime.plan.network import AGENT_REGIONS

HTTPS = ec2.Port.tcp(443)
OURS = ("ecs", "secretsmanager", "ssm", "sts")
"""Services that only our own roles call in the VPC, so that their endpoints can refuse all others. The rest MWAA calls
too, also as an account of its own, and its user guide asks for full access on them.

Not `ecs` in `AGENT_REGIONS`: there Fargate's agent calls it by this endpoint, and no document says as which account. A
policy that refuses it keeps every task from starting."""
LAYERS = "prod-{region}-starport-layer-bucket"
"""The bucket that ECR keeps image layers in; ECR itself signs the requests for them.
Source: Amazon ECR User Guide, "Interface VPC endpoints", minimum Amazon S3 bucket permissions."""


class ServiceEndpoints(Construct):
    """An endpoint for each service, and a policy for S3's.

    One security group is on all of them and lets the callers in, on 443. The policies on S3's and on those of `OURS`
    let the plan's own account and the trusted ones through: credentials of another account, which code could bring
    along to carry data away, are of no use in the VPC.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        vpc: ec2.Vpc,
        s3: ec2.GatewayVpcEndpoint | None,
        region: str,
        services: Sequence[str],
        callers: Sequence[ec2.ISecurityGroup],
        trusted_accounts: Sequence[str],
        subnet_type: ec2.SubnetType = ec2.SubnetType.PRIVATE_ISOLATED,
    ) -> None:
        """
        Args:
            s3: the endpoint of S3, which gets a policy; None: it keeps its own, as where there is a way around it.
            subnet_type: of the subnets that the endpoints are in.
        """
        super().__init__(scope, name)
        self._accounts = [cdk.Stack.of(self).account, *trusted_accounts]
        if s3 is not None:
            s3.add_to_policy(self._own_accounts())
            s3.add_to_policy(self._layers())
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description="VPC endpoints: tasks and MWAA may call them",
            # An endpoint answers; it calls nobody.
            allow_all_outbound=False,
        )
        for caller in callers:
            group.add_ingress_rule(caller, HTTPS, "The services of AWS, by HTTPS")
        for service in services:
            if service == "dynamodb":
                dynamodb = ec2.GatewayVpcEndpointAwsService.DYNAMODB
                ec2.GatewayVpcEndpoint(self, service, vpc=vpc, service=dynamodb).add_to_policy(self._own_accounts())
                continue
            endpoint = ec2.InterfaceVpcEndpoint(
                self,
                service,
                vpc=vpc,
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=ec2.SubnetSelection(subnet_type=subnet_type),
                security_groups=[group],
                # Without it CDK would let the whole VPC in.
                open=False,
            )
            if service in OURS and not (service == "ecs" and region in AGENT_REGIONS):
                endpoint.add_to_policy(self._own_accounts())

    def _own_accounts(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=["*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:PrincipalAccount": self._accounts}},
        )

    def _layers(self) -> iam.PolicyStatement:
        stack = cdk.Stack.of(self)
        bucket = LAYERS.format(region=stack.region)
        arn = stack.format_arn(service="s3", region="", account="", resource=bucket, resource_name="*")
        return iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["s3:GetObject"], resources=[arn])
