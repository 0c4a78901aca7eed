"""The endpoints of MWAA's database and web server in a VPC that another account shares.

Only its owner may make endpoints there, and CloudFormation makes resources of one account. So a state machine makes
them, with a role of the owner's: CloudFormation tells EventBridge that it starts on the environment; that starts the
machine, which waits until MWAA is `PENDING` (at most 72 hours, says MWAA), calls EC2, and watches MWAA go on until the
environment is there. No code runs. The deploy waits for none of it: CloudFormation is content with `PENDING`, too.
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

from stacks.airflow.endpoints_alarm import EndpointsAlarm
from stacks.airflow.environment_endpoints import TAG
from stacks.nag import acknowledge

PENDING_HOURS = 72
"""How long MWAA waits for the endpoints before the environment has failed (API Reference, CreateEnvironment)."""
CREATION_HOURS = 3
"""And how long it may create after that (`timeoutInMinutes` of the create handler in CloudFormation's schema)."""
POLL_SECONDS = 120
"""A look is 9 events of an execution's history, which holds 25,000 (Step Functions Developer Guide, "Quotas")."""
OVER = ("AVAILABLE", "DELETING", "DELETED")
"""Statuses of an environment that waits for nobody."""
FAILED = "CREATE_FAILED"


class SharedEndpoints(Construct):
    """Waits for an environment of MWAA that its stack creates, makes its endpoints, and fails where it fails."""

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
        owner_role: str,
        role_name: str,
        topic: str | None,
    ) -> None:
        """
        Args:
            environment: its name. It must depend on this construct.
            web_server: whether the web server has one too: with every access but from the internet alone.
            security_groups: of the endpoints; they must let MWAA's in.
            owner_role: ARN of a role in the account that owns the VPC, which lets us make endpoints there.
            role_name: of the role that takes on `owner_role`, whose trust must name it.
            topic: ARN of the topic to notify of a failure; None: an alarm shows it.
        """
        super().__init__(scope, name)
        self._stack = cdk.Stack.of(self)
        self._environment, self._vpc, self._subnets, self._groups = environment, vpc, subnets, security_groups
        self._owner_role = owner_role
        role = iam.Role(self, "Role", role_name=role_name, assumed_by=self._service("states"))
        for statement in (self._watch(), self._act(owner_role)):
            role.add_to_policy(statement)
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
        EndpointsAlarm(self, "Failed", environment=environment, machine=machine.attr_arn, topic=topic)

    def _start(self, machine: sfn.CfnStateMachine) -> None:
        """Up to three events come for one creation; a later run asks with the same client token and makes nothing.

        A rule as new as this one may miss the first two (EventBridge API Reference, PutRule). At the last one MWAA is
        `PENDING`, no more.
        """
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
                    "status-details": {"status": ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]},
                },
            },
            targets=[events.CfnRule.TargetProperty(id="Machine", arn=machine.attr_arn, role_arn=starter.role_arn)],
        )

    def _states(self, web_server: bool) -> dict[str, Any]:
        """The state machine, in Amazon States Language."""
        services = ["DatabaseVpcEndpointService"] + (["WebserverVpcEndpointService"] if web_server else [])
        waiting = {"Variable": "$.Environment.Status", "StringEquals": "PENDING"}
        known = [{"Variable": f"$.Environment.{service}", "IsPresent": True} for service in services]
        make = {"And": [waiting, *known], "Next": services[0]}
        return {
            "Comment": f"Makes the endpoints that MWAA environment {self._environment} waits for",
            "TimeoutSeconds": (PENDING_HOURS + CREATION_HOURS) * 3600,
            "StartAt": "Look",
            "States": {
                **self._look("Look", "Choose", "Wait", make),
                **{
                    service: self._endpoint(service, then)
                    for service, then in zip(services, [*services[1:], "Watch"], strict=True)
                },
                **self._look("Watch", "Decide", "Rest"),
                "Failed": {
                    "Type": "Fail",
                    "Error": FAILED,
                    "Cause": f"MWAA could not create environment {self._environment}; its page in the console says why",
                },
                "Over": {"Type": "Succeed"},
            },
        }

    def _look(self, look: str, choose: str, wait: str, *choices: dict[str, Any]) -> dict[str, Any]:
        """Three states: ask MWAA, again and again, until the environment is over, or one of `choices` holds."""
        over = [{"Variable": "$.Environment.Status", "StringEquals": status} for status in OVER]
        failed = {"Variable": "$.Environment.Status", "StringEquals": FAILED, "Next": "Failed"}
        # The environment may not be known yet.
        again = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": POLL_SECONDS, "MaxAttempts": 30, "BackoffRate": 1}
        return {
            look: {
                "Type": "Task",
                "Resource": self._call("mwaa:getEnvironment"),
                "Parameters": {"Name": self._environment},
                "Retry": [again],
                "Next": choose,
            },
            choose: {
                "Type": "Choice",
                "Choices": [*choices, failed, {"Or": over, "Next": "Over"}],
                "Default": wait,
            },
            wait: {"Type": "Wait", "Seconds": POLL_SECONDS, "Next": look},
        }

    def _endpoint(self, service: str, then: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": self._call("ec2:createVpcEndpoint"),
            "Credentials": {"RoleArn": self._owner_role},
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
