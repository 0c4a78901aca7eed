"""One Fargate task definition with its roles: what it may read, write and log, and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime import contract
from penstock_runtime.container import bootstrap
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Secret, TaskDefinition
from stacks.ingestion import secret
from stacks.ingestion.image import ContainerImage
from stacks.managed_policies import MAX_INLINE, longest
from stacks.nag import acknowledge, acknowledge_wildcards
from stacks.permitted import acknowledge_permitted, policies_of

ECS_TASKS = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True)
class Surroundings:
    """What all task definitions of a project share."""

    plan: Plan
    artifacts: s3.IBucket
    runtime_sha256: str


class FargateTask(Construct):
    """A task definition of the plan. Its family and role names are the plan's: others need no export for them."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        definition: TaskDefinition,
        image: ContainerImage,
        surroundings: Surroundings,
    ) -> None:
        super().__init__(scope, name)
        self._stack = cdk.Stack.of(self)
        self._definition = definition
        self._surroundings, self._plan = surroundings, surroundings.plan
        needs, permitted = self._artifact_statements(), policies_of(definition.permissions)
        task_role = self._role("TaskRole", f"{definition.role_prefix}-task", needs, permitted)
        acknowledge_permitted(task_role, definition.permissions)
        execution_role = self._role("ExecutionRole", f"{definition.role_prefix}-exec", self._start_statements(image))
        task = ecs.CfnTaskDefinition(
            self,
            "Definition",
            family=definition.family,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            runtime_platform=ecs.CfnTaskDefinition.RuntimePlatformProperty(
                operating_system_family="LINUX",
                cpu_architecture="ARM64" if definition.architecture == "arm64" else "X86_64",
            ),
            cpu=str(definition.cpu_units),
            memory=str(definition.memory_mib),
            task_role_arn=task_role.role_arn,
            execution_role_arn=execution_role.role_arn,
            container_definitions=[self._container(image)],
        )
        acknowledge(
            task,
            {"AwsSolutions-ECS2": "Addresses and a hash; secrets come by reference."},
        )

    def _container(self, image: ContainerImage) -> ecs.CfnTaskDefinition.ContainerDefinitionProperty:
        container = ecs.CfnTaskDefinition
        return container.ContainerDefinitionProperty(
            name=contract.CONTAINER_NAME,
            image=image.uri,
            essential=True,
            entry_point=list(bootstrap.ENTRY_POINT) if self._definition.runtime else None,
            environment=[
                container.KeyValuePairProperty(name=name, value=value)
                for name, value in sorted(self._environment().items())
            ]
            or None,
            secrets=[
                container.SecretProperty(name=one.name, value_from=secret.value_from(self._stack, one))
                for one in self._definition.secrets
            ]
            or None,
            linux_parameters=self._linux_parameters(),
            readonly_root_filesystem=self._definition.read_only_root or None,
            repository_credentials=container.RepositoryCredentialsProperty(
                credentials_parameter=secret.log_in(image.credentials)
            )
            if image.credentials
            else None,
            stop_timeout=self._plan.ecs.stop_timeout_seconds,
            log_configuration=container.LogConfigurationProperty(
                log_driver="awslogs",
                options=self._log_options(),
            ),
        )

    def _linux_parameters(self) -> ecs.CfnTaskDefinition.LinuxParametersProperty | None:
        definition = self._definition
        if not (definition.runtime or definition.read_only_root):
            return None
        return ecs.CfnTaskDefinition.LinuxParametersProperty(
            # An init process reaps what the engine's own children leave, and hands SIGTERM on. An image's own entry
            # point may insist on being process 1 itself (just-containers/s6-overlay, issue 535).
            init_process_enabled=definition.runtime or None,
            tmpfs=[self._tmp()] if definition.read_only_root else None,
        )

    def _log_options(self) -> dict[str, str]:
        options = {
            "awslogs-group": self._plan.log_group,
            "awslogs-region": self._stack.region,
            "awslogs-stream-prefix": contract.LOG_STREAM_PREFIX,
            # Always said: ECS's own default drops lines when CloudWatch is slow, and an account may change it.
            "mode": self._plan.logs.mode,
        }
        if self._plan.logs.max_buffer_mib is not None:
            options["max-buffer-size"] = f"{self._plan.logs.max_buffer_mib}m"
        return options

    def _tmp(self) -> ecs.CfnTaskDefinition.TmpfsProperty:
        """Memory, not a volume: Fargate's volumes belong to root, and the images run as somebody else.

        Fargate knows them since January 2026 (AWS, "Amazon ECS supports tmpfs mounts on AWS Fargate"). Everybody may
        write there without being told so: 1777 is the mode of a tmpfs (Linux, Documentation/filesystems/tmpfs.rst), and
        Docker's too. ECS lists `mode` among the options, and does not say how a value would be given.
        """
        return ecs.CfnTaskDefinition.TmpfsProperty(
            container_path="/tmp",  # noqa: S108  the container's
            size=self._plan.ecs.tmp_mib,
        )

    def _environment(self) -> dict[str, str]:
        if not self._definition.runtime:
            return {}
        bucket, sha256 = self._surroundings.artifacts.bucket_name, self._surroundings.runtime_sha256
        environment = {
            contract.ARTIFACTS_BUCKET: bucket,
            contract.RUNTIME_URI: f"s3://{bucket}/{contract.runtime_key(sha256)}",
            contract.RUNTIME_SHA256: sha256,
            contract.ARTIFACTS_REGION: self._stack.region,
            # So that the runtime knows what to mask in the log.
            contract.SECRET_NAMES: json.dumps([one.name for one in self._definition.secrets]),
            contract.STOP_TIMEOUT_SECONDS: str(self._plan.ecs.stop_timeout_seconds),
        }
        if self._definition.read_only_root:
            # Where libraries keep caches and settings, of which nobody asked them to keep any. Not as HOME: below the
            # image's own, Python finds what OpenMetadata's image holds (`pip install` as its user).
            environment[contract.HOME] = "/tmp"  # noqa: S108  the container's
        if self._keeps_state:
            environment[contract.MELTANO_STATE] = f"s3://{bucket}/{contract.STATE_PREFIX}"
        return environment

    @property
    def _keeps_state(self) -> bool:
        """Whether Meltano's state is in the artifacts bucket. A project's own backend is its own to grant."""
        return self._definition.engine == "meltano" and self._definition.meltano_state is None

    def _artifact_statements(self) -> list[iam.PolicyStatement]:
        """The task role's rights: fetch its code, its config and its files; Meltano also keeps its state.

        None where nothing of ours is in the container.
        """
        if not self._definition.runtime:
            return []
        bucket = self._surroundings.artifacts
        prefixes = [contract.RUNTIME_PREFIX]
        if self._definition.engine == "openmetadata":
            prefixes.append(contract.CONFIGS_PREFIX)
        if self._definition.files:
            prefixes.append(contract.FILES_PREFIX)
        readable = [bucket.arn_for_objects(f"{prefix}/*") for prefix in prefixes]
        statements = [iam.PolicyStatement(actions=["s3:GetObject"], resources=readable)]
        if self._keeps_state:
            state = bucket.arn_for_objects(f"{contract.STATE_PREFIX}/*")
            listable = [contract.STATE_PREFIX, f"{contract.STATE_PREFIX}/*"]
            statements += [
                iam.PolicyStatement(actions=list(_STATE_ACTIONS), resources=[state]),
                # Without it S3 answers 403 for state that is not there yet, and the first run of a pipeline fails.
                # S3 takes the key for `s3:prefix` then (seen on AWS: ceph/ceph, pull request 68577).
                iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[bucket.bucket_arn],
                    conditions={"StringLike": {"s3:prefix": listable}},
                ),
            ]
        return statements

    def _start_statements(self, image: ContainerImage) -> list[iam.PolicyStatement]:
        """The execution role's rights: what ECS's agent does before and beside the container."""
        statements = [
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log_streams(self._stack, self._plan.log_group)],
            )
        ]
        statements += self._secret_statements([*self._definition.secrets, *filter(None, [image.credentials])])
        if image.repository_arn:
            statements += [
                iam.PolicyStatement(actions=list(_PULL_ACTIONS), resources=[image.repository_arn]),
                # GetAuthorizationToken knows no resource (AWS, Service Authorization Reference, Amazon ECR).
                iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            ]
        if image.repository_arn and image.cached:
            # The first pull makes the repository (Amazon ECR User Guide, "IAM permissions … pull through cache").
            statements.append(iam.PolicyStatement(actions=list(_CACHE_ACTIONS), resources=[image.repository_arn]))
        return statements

    def _secret_statements(self, read: Sequence[Secret]) -> list[iam.PolicyStatement]:
        """Read these secrets, and decrypt them where their key is not AWS's own."""
        grants: dict[str, set[str]] = {}
        for one in read:
            action, resources = secret.readable(self._stack, one)
            grants.setdefault(action, set()).update(resources)
        statements = [
            iam.PolicyStatement(actions=[action], resources=sorted(granted))
            for action, granted in sorted(grants.items())
        ]
        if self._definition.secret_kms_keys:
            # Whoever reads a secret decrypts it, by way of its store (AWS KMS Developer Guide, "kms:ViaService").
            statements.append(
                iam.PolicyStatement(
                    actions=["kms:Decrypt"],
                    resources=list(self._definition.secret_kms_keys),
                    conditions={"StringEquals": {"kms:ViaService": secret.services(self._stack, read)}},
                )
            )
        return statements

    def _role(
        self,
        name: str,
        role_name: str,
        statements: Sequence[iam.PolicyStatement],
        permitted: Mapping[str, iam.PolicyDocument] | None = None,
    ) -> iam.Role:
        needs = {"Needs": iam.PolicyDocument(statements=list(statements))} if statements else {}
        policies = {**needs, **(permitted or {})}
        self._check_size(role_name, list(policies.values()))
        role = iam.Role(
            self,
            name,
            role_name=role_name,
            assumed_by=iam.ServicePrincipal(
                ECS_TASKS,
                # Nobody else's ECS may assume it (AWS, "Cross-service confused deputy prevention").
                conditions={"StringEquals": {"aws:SourceAccount": self._stack.account}},
            ),
            inline_policies=policies,
        )
        acknowledge_wildcards(role, statements, "Below one prefix of its own bucket or log group; or ECR's log-in.")
        return role

    def _check_size(self, role_name: str, policies: Sequence[iam.PolicyDocument]) -> None:
        """Raise an InputError where a role has more than IAM takes: CDK splits no inline policy."""
        size = sum(longest(self._stack.resolve(one)) for one in policies)
        if size > MAX_INLINE:
            raise InputError(
                f"the policies of role {role_name} take {size} characters; IAM takes {MAX_INLINE}",
                fix="let its task have fewer secrets (several values in one JSON secret) or permissions, or split it",
            )


_STATE_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
_CACHE_ACTIONS = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
_PULL_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


def log_streams(stack: cdk.Stack, log_group: str) -> str:
    """The ARN pattern of the log streams that our containers write in a log group."""
    return stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{log_group}:log-stream:{contract.LOG_STREAM_PREFIX}/*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
