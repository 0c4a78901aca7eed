"""What runs the tasks: artifacts bucket, cluster, log group, and a Fargate task for each definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from penstock_runtime import infrastructure
from penstock_runtime.plan import Plan
from stacks.bucket import data_bucket, deploy_files
from stacks.image import RECIPES, Images
from stacks.nag import Grantee, grant
from stacks.release import ReleaseCheck, Source
from stacks.task import FargateTask, Surroundings, log_streams


class IngestionStack(cdk.Stack):
    """The cluster and its task definitions. It does not know who starts them: that one calls `grant_run`."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        artifacts: Path,
        runtime_sha256: str,
        project_root: Path,
        release: str,
        source: Source,
        **stack: Any,
    ) -> None:
        """
        Args:
            artifacts: folder that holds what goes to the artifacts bucket, by key.
            runtime_sha256: hash of the runtime archive among them.
            project_root: folder of the project file; images are built from folders in it.
            release: hash of the bundle that the stack downstream deploys.
            source: where plan and bundle come from.
        """
        super().__init__(scope, name, **stack)
        self._plan = plan
        self.artifacts = data_bucket(self, "Artifacts")
        check = ReleaseCheck(self, "Check", plan=plan, release=release, source=source, artifacts=self.artifacts)
        # Nothing is deleted: a run that started before this deploy still fetches its config and its runtime.
        uploaded = deploy_files(self, "Upload", to=self.artifacts, sources=[s3_deployment.Source.asset(str(artifacts))])
        log_group = logs.CfnLogGroup(
            self, "Logs", log_group_name=plan.log_group, retention_in_days=plan.log_retention_days
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        ecs.CfnCluster(
            self,
            "Cluster",
            cluster_name=plan.cluster,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            cluster_settings=[ecs.CfnCluster.ClusterSettingsProperty(name="containerInsights", value="enabled")],
        )
        images = Images(self, "Images", project_root=project_root)
        surroundings = Surroundings(plan.cluster, plan.log_group, self.artifacts, runtime_sha256)
        self.tasks = {
            definition.family: FargateTask(
                self,
                definition.family,
                definition=definition,
                image=images.get(definition.image, definition.architecture),
                surroundings=surroundings,
            )
            for definition in plan.task_definitions
        }
        for task in self.tasks.values():
            task.node.add_dependency(uploaded, log_group, check)
        self.infrastructure = infrastructure.describe(
            plan,
            runtime_sha256=runtime_sha256,
            images=infrastructure.image_contents(plan, recipes=RECIPES, project=project_root),
            account=self.account,
        )
        """What `penstock push` compares with."""
        cdk.CfnOutput(self, "ArtifactsBucket", value=self.artifacts.bucket_name)

    def grant_run(self, grantee: Grantee) -> None:
        """Let `grantee` start, watch and stop the plan's tasks, and read their logs; nothing else in ECS.

        Not `ecs:ListTasks`: but for a container instance AWS checks it on `*` only (Amazon ECS Developer Guide,
        "List and describe tasks"), and no part of ours needs it. Nor `ecs:TagResource`: our operator tags nothing.
        """
        for task in self.tasks.values():
            task.grant_run(grantee)
        own_tasks = self.format_arn(service="ecs", resource="task", resource_name=f"{self._plan.cluster}/*")
        statements = [
            iam.PolicyStatement(actions=["ecs:DescribeTasks", "ecs:StopTask"], resources=[own_tasks]),
            iam.PolicyStatement(actions=["logs:GetLogEvents"], resources=[log_streams(self, self._plan.log_group)]),
        ]
        grant(grantee, statements, "The ids of Fargate tasks and log streams are made at run time.")
