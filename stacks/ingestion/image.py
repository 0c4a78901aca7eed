"""Container images: named ones unchanged, Penstock's recipes built with the user's project in them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from penstock_runtime.errors import InputError
from penstock_runtime.plan.task_definition import Architecture, Image, Secret
from penstock_runtime.release import image_context

RECIPES = Path(__file__).resolve().parents[2] / "runtime" / "images"
"""A folder for each recipe: Dockerfile, locked requirements and what else the build needs."""


@dataclass(frozen=True)
class ContainerImage:
    """An image that ECS can pull."""

    uri: str
    repository_arn: str | None
    """The ECR repository that it is in; None: in another registry, which needs no permission."""
    cached: bool = False
    """Whether the repository is one of ECR's pull-through cache, which the first pull makes."""
    credentials: Secret | None = None
    """The log-in of a private registry."""


class Images(Construct):
    """The images of a plan; each is built once, however many task definitions use it."""

    def __init__(self, scope: Construct, name: str, *, project_root: Path) -> None:
        super().__init__(scope, name)
        self._project_root = project_root
        self._built: dict[tuple[Image, Architecture], ContainerImage] = {}

    def get(self, image: Image, architecture: Architecture) -> ContainerImage:
        """The image, for one architecture.

        Raises:
            InputError: the recipe does not exist, or the folder is not in the project.
        """
        if image.kind == "registry":
            return ContainerImage(image.reference, self._ecr_repository(image.reference), credentials=image.credentials)
        if image.kind == "cached":
            stack = cdk.Stack.of(self)
            uri = f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}/{image.reference}"
            name = image.reference.partition("@")[0].partition(":")[0]
            arn = stack.format_arn(service="ecr", resource="repository", resource_name=name)
            return ContainerImage(uri, arn, cached=True)
        key = (image, architecture)
        if key not in self._built:
            self._built[key] = self._build(image, architecture)
        return self._built[key]

    def _build(self, image: Image, architecture: Architecture) -> ContainerImage:
        with tempfile.TemporaryDirectory(prefix="penstock-image-") as folder:
            context = Path(folder) / "context"
            assemble(image, self._project_root, context)
            arm = architecture == "arm64"
            asset = ecr_assets.DockerImageAsset(
                self,
                f"{image.reference}-{architecture}-{len(self._built)}",
                # CDK copies the folder into the assembly here and now; nobody runs Docker before the deploy.
                directory=str(context),
                platform=ecr_assets.Platform.LINUX_ARM64 if arm else ecr_assets.Platform.LINUX_AMD64,
                asset_name=f"penstock-{image.reference}",
                display_name=f"{image.reference} image with {image.context or 'no project'}",
            )
        return ContainerImage(asset.image_uri, asset.repository.repository_arn)

    def _ecr_repository(self, reference: str) -> str | None:
        """The repository's ARN, if it is in ECR: `<account>.dkr.ecr.<region>.amazonaws.com/<name>`."""
        host, _, rest = reference.partition("/")
        parts = host.split(".")
        if parts[1:3] != ["dkr", "ecr"] or len(parts) < 6:
            return None
        name = rest.partition("@")[0].partition(":")[0]
        # A registry may be in another account and region, but not in another partition.
        return cdk.Stack.of(self).format_arn(
            service="ecr", account=parts[0], region=parts[3], resource="repository", resource_name=name
        )


def assemble(image: Image, project_root: Path, context: Path) -> None:
    """Lay out the build context: the recipe's files at the top, the user's folder as `project/`.

    CDK hashes names and contents only, so the same files give the same image tag on every machine.

    Raises:
        InputError: the recipe does not exist, or the folder is not in the project.
    """
    recipe = RECIPES / image.reference
    if not (recipe / "Dockerfile").is_file():
        known = sorted(file.parent.name for file in RECIPES.glob("*/Dockerfile"))
        raise InputError(
            f"the image recipe {image.reference!r} does not exist: {recipe / 'Dockerfile'} is missing",
            fix=f"use one of {', '.join(known)}" if known else "restore runtime/images/ from the repository",
        )
    image_context.copy(recipe, context)
    project = context / "project"
    if image.context is None:
        project.mkdir()
        return
    folder = project_root / image.context
    if not folder.is_dir():
        raise InputError(
            f"{image.context!r}, which goes into the {image.reference} image, is not a folder in {project_root}",
            fix="correct the path in the project file",
        )
    image_context.copy(folder, project)
