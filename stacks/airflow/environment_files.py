"""The files that an MWAA environment starts from, each with the version that S3 gives it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct, IDependable

from stacks.bucket import deploy_files

UPLOAD = "Custom::CDKBucketDeployment"


@dataclass(frozen=True)
class FileSource:
    """Where the files come from and go to."""

    folder: Path
    """Holds each under its key in the bucket."""
    bucket: s3.IBucket
    role: iam.IRole | None = None
    """Of CDK's function, in somebody else's bucket; None: CDK makes one."""


class EnvironmentFile(Construct):
    """A file in the DAG bucket, under a key that holds its content's hash.

    MWAA's model asks for a version each time that such a file is updated (CreateEnvironment,
    `RequirementsS3ObjectVersion` and the like). Without one an update may pair the new key with the version of before,
    which S3 does not find.
    """

    def __init__(self, scope: Construct, name: str, *, key: str, source: FileSource) -> None:
        """
        Args:
            key: in the bucket, `<folder>/<hash><extension>`.
        """
        super().__init__(scope, name)
        self.key = key
        folder, _, file = key.rpartition("/")
        # CDK's `Source.asset` takes archives only, and names them by a hash of its own.
        asset = self._add_asset(source.folder / key, file)
        staged = s3.Bucket.from_bucket_name(self, "Staged", asset.bucket_name)
        # Nothing is deleted: a deploy that is rolled back needs what the environment had before.
        upload = deploy_files(
            self,
            "Upload",
            to=source.bucket,
            role=source.role,
            prefix=folder,
            sources=[s3_deployment.Source.bucket(staged, asset.object_key)],
            extract=False,
        )
        # Another content is another resource: an update would be rolled back by uploading the old file again, as a new
        # version beside the one that the environment goes back to.
        (resource,) = (
            child
            for child in upload.node.find_all()
            if isinstance(child, cdk.CfnResource) and child.cfn_resource_type == UPLOAD
        )
        resource.override_logical_id(f"{name}{Path(file).stem[:8].upper()}")
        self.version = cdk.Fn.select(0, upload.object_version_ids)
        """S3's id of the version that was uploaded; known to the deploy only."""
        self.uploaded = cast(IDependable, upload)

    def _add_asset(self, file: Path, name: str) -> cdk.FileAssetLocation:
        """The file as an asset of that name: its content's hash and an extension."""
        stack = cdk.Stack.of(self)
        stage = cdk.Stage.of(self)
        assert stage is not None
        staged = Path(stage.asset_outdir) / f"asset.{name}"
        shutil.copyfile(file, staged)
        return stack.synthesizer.add_file_asset(
            source_hash=Path(name).stem, file_name=staged.name, packaging=cdk.FileAssetPackaging.FILE
        )
