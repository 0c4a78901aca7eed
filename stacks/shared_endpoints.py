"""The endpoints of MWAA's database and web server, where MWAA does not make them itself.

Their services exist only while the environment is being created, and CloudFormation waits for the environment, so no
resource of a template can be these endpoints. CloudFormation tells EventBridge when it starts on the environment; that
starts a state machine, which waits until MWAA is `PENDING` (at most 72 hours, says MWAA) and calls EC2. No code runs.
Sources: Amazon MWAA User Guide, "Managing your own Amazon VPC endpoints"; AWS CloudFormation User Guide, "Resource
Status Change event detail"; AWS Step Functions Developer Guide, "Accessing resources in other AWS accounts".

Nothing deletes them with the environment: MWAA does not say when it no longer needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.nag import acknowledge, acknowledge_wildcards

PENDING_HOURS = 72
"""How long MWAA waits for the endpoints before the environment has failed (API Reference, CreateEnvironment)."""
POLL_SECONDS = 60
OVER = ("AVAILABLE", "CREATE_FAILED", "DELETING", "DELETED")
"""Statuses of an environment that waits for nobody."""
TAG = "penstock:airflow"
"""On each endpoint: the environment's name."""


class EnvironmentEndpoints(Construct):
    """Waits for an environment of MWAA that its stack creates, and makes its endpoints."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        environment: str,
        web_server: bool,
        vpc: str,
        subnets: Sequence[str],
        security_groups: Sequence[str],
        owner_role: str | None = None,
        role_name: str | None = None,
    ) -> None:
        """
        Args:
            environment: its name. It must depend on this construct.
            web_server: whether its web server wants an endpoint too: with private access only.
            security_groups: of the endpoints; they must let MWAA's in, so MWAA's own will do in a VPC of this account.
            owner_role: ARN of a role in the account that owns a shared VPC, which lets us make endpoints there.
            role_name: of the role that takes on `owner_role`, whose trust must name it; None: a generated one.
        """
        super().__init__(scope, name)
        self._stack = cdk.Stack.of(self)
        self._environment, self._vpc, self._subnets, self._groups = environment, vpc, subnets, security_groups
        self._owner_role = owner_role
        role = iam.Role(self, "Role", role_name=role_name, assumed_by=self._service("states"))
        statements = [self._watch(), *(self._make() if owner_role is None else [self._act(owner_role)])]
        for statement in statements:
            role.add_to_policy(statement)
        acknowledge_wildcards(role, statements, "The ids of endpoints are given when they are made.")
        definition = self._stack.to_json_string(self._states(web_server))
        machine = sfn.CfnStateMachine(self, "Machine", role_arn=role.role_arn, definition_string=definition)
        machine.node.add_dependency(role)
        acknowledge(
            machine,
            {
                "AwsSolutions-SF1": "It runs once for an environment; Step Functions keeps its history for 90 days.",
                "AwsSolutions-SF2": "It runs once for an environment; there is nothing to trace.",
            },
        )
        self._start(machine)

    def _start(self, machine: sfn.CfnStateMachine) -> None:
        """Two events come for one creation; the second run asks with the same client token and makes nothing."""
        starter = iam.Role(
            self,
            "Starter",
            assumed_by=self._service("events"),
            inline_policies={
                "Start": iam.PolicyDocument(
                    statements=[iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.attr_arn])]
                )
            },
        )
        events.CfnRule(
            self,
            "Creation",
            description=f"MWAA environment {self._environment} is being created: make its endpoints",
            event_pattern={
                "source": ["aws.cloudformation"],
                "detail-type": ["CloudFormation Resource Status Change"],
                "detail": {
                    "stack-id": [self._stack.stack_id],
                    "resource-type": ["AWS::MWAA::Environment"],
                    "status-details": {"status": ["CREATE_IN_PROGRESS"]},
                },
            },
            targets=[events.CfnRule.TargetProperty(id="Machine", arn=machine.attr_arn, role_arn=starter.role_arn)],
        )

    def _states(self, web_server: bool) -> dict[str, Any]:
        """The state machine, in Amazon States Language."""
        services = ["DatabaseVpcEndpointService"] + (["WebserverVpcEndpointService"] if web_server else [])
        waiting = {"Variable": "$.Environment.Status", "StringEquals": "PENDING"}
        known = [{"Variable": f"$.Environment.{service}", "IsPresent": True} for service in services]
        over = [{"Variable": "$.Environment.Status", "StringEquals": status} for status in OVER]
        return {
            "Comment": f"Makes the endpoints that MWAA environment {self._environment} waits for",
            "TimeoutSeconds": PENDING_HOURS * 3600,
            "StartAt": "Look",
            "States": {
                "Look": {
                    "Type": "Task",
                    "Resource": self._call("mwaa:getEnvironment"),
                    "Parameters": {"Name": self._environment},
                    # The environment may not be known yet.
                    "Retry": [
                        {
                            "ErrorEquals": ["States.ALL"],
                            "IntervalSeconds": POLL_SECONDS,
                            "MaxAttempts": 30,
                            "BackoffRate": 1,
                        }
                    ],
                    "Next": "Choose",
                },
                "Choose": {
                    "Type": "Choice",
                    "Choices": [{"And": [waiting, *known], "Next": services[0]}, {"Or": over, "Next": "Over"}],
                    "Default": "Wait",
                },
                "Wait": {"Type": "Wait", "Seconds": POLL_SECONDS, "Next": "Look"},
                **{
                    service: self._endpoint(service, then)
                    for service, then in zip(services, [*services[1:], "Over"], strict=True)
                },
                "Over": {"Type": "Succeed"},
            },
        }

    def _endpoint(self, service: str, then: str) -> dict[str, Any]:
        state: dict[str, Any] = {
            "Type": "Task",
            "Resource": self._call("ec2:createVpcEndpoint"),
            "Parameters": {
                "VpcEndpointType": "Interface",
                "VpcId": self._vpc,
                "ServiceName.$": f"$.Environment.{service}",
                "SubnetIds": list(self._subnets),
                "SecurityGroupIds": list(self._groups),
                "ClientToken.$": f"States.Hash($.Environment.{service}, 'SHA-1')",
                "TagSpecifications": [
                    {"ResourceType": "vpc-endpoint", "Tags": [{"Key": TAG, "Value": self._environment}]}
                ],
            },
            # Beside the environment, which the next state needs; CDK would drop a null here.
            "ResultPath": "$.Made",
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "MaxAttempts": 10, "BackoffRate": 1.5}],
            "Next": then,
        }
        if self._owner_role is not None:
            state["Credentials"] = {"RoleArn": self._owner_role}
        return state

    def _service(self, name: str) -> iam.ServicePrincipal:
        """For this account, and for no other's sake (IAM User Guide, "The confused deputy problem")."""
        only = {"StringEquals": {"aws:SourceAccount": self._stack.account}}
        return iam.ServicePrincipal(f"{name}.amazonaws.com", conditions=only)

    def _call(self, action: str) -> str:
        return f"arn:{self._stack.partition}:states:::aws-sdk:{action}"

    def _watch(self) -> iam.PolicyStatement:
        arn = self._stack.format_arn(service="airflow", resource="environment", resource_name=self._environment)
        return iam.PolicyStatement(actions=["airflow:GetEnvironment"], resources=[arn])

    def _act(self, role: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[role])

    def _make(self) -> list[iam.PolicyStatement]:
        """Endpoints of services that customers offer (MWAA's are such), in this VPC and these subnets only."""
        endpoints = self._arn("vpc-endpoint", "*")
        place = [self._arn("vpc", self._vpc), *(self._arn("subnet", one) for one in self._subnets)]
        place += [self._arn("security-group", one) for one in self._groups]
        services = f"com.amazonaws.vpce.{self._stack.region}.*"
        return [
            iam.PolicyStatement(actions=["ec2:CreateVpcEndpoint"], resources=place),
            iam.PolicyStatement(
                actions=["ec2:CreateVpcEndpoint"],
                resources=[endpoints],
                conditions={"StringLike": {"ec2:VpceServiceName": services}},
            ),
            iam.PolicyStatement(
                actions=["ec2:CreateTags"],
                resources=[endpoints],
                conditions={"StringEquals": {"ec2:CreateAction": "CreateVpcEndpoint"}},
            ),
        ]

    def _arn(self, resource: str, name: str) -> str:
        return self._stack.format_arn(service="ec2", resource=resource, resource_name=name)
