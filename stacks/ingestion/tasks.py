"""The task definitions of a plan, added to the stack that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from penstock_runtime.plan.plan import Plan
from stacks.ingestion.container import Surroundings
from stacks.ingestion.image import Images
from stacks.ingestion.task import FargateTaskDefinition


@dataclass(frozen=True)
class Tasks:
    """What all of them share."""

    plan: Plan
    artifacts: str
    """Name of the artifacts bucket, as other stacks know it."""
    runtime_sha256: str
    """Of the runtime archive in the artifacts bucket."""
    project_root: Path
    """Images are built from folders in it."""

    def add(self, stack: cdk.Stack, label: str | None) -> list[FargateTaskDefinition]:
        """Add those that the plan puts into this stack.

        Args:
            label: as in `TaskDefinition.stack`.
        """
        artifacts = s3.Bucket.from_bucket_name(stack, "Artifacts", self.artifacts)
        images = Images(stack, "Images", project_root=self.project_root)
        surroundings = Surroundings(self.plan, artifacts, self.runtime_sha256)
        return [
            FargateTaskDefinition(
                stack,
                definition.family,
                definition=definition,
                image=images.get(definition.image, definition.architecture),
                surroundings=surroundings,
            )
            for definition in self.plan.task_definitions
            if definition.stack == label
        ]
