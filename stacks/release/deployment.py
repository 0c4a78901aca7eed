"""The bundle in the DAG bucket: its files, the facts about the deploy, and the switch that makes it live."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct, IDependable

from penstock_runtime import contract
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release import manifest
from stacks.bucket import deploy_files, key_statement
from stacks.release.dag_folder import DagFolder, guest_role
from stacks.release.function import manifest_statements, own_stack_statement, release_function, release_resource
from stacks.release.source import Source


class ReleaseDeployment(Construct):
    """The bundle in the DAG bucket, and live. Everything else in the bucket is left alone."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        bundle: Path,
        source: Source,
        artifacts: s3.IBucket,
        folder: DagFolder,
        facts: dict[str, dict[str, Any]],
        upload_role: iam.IRole | None = None,
    ) -> None:
        """
        Args:
            upload_role: of CDK's function in a guest's bucket, if the stack has made it already.
            bundle: folder that holds the bundle's files as they go below `folder`.
            facts: file name → content, written beside the loaders; values may be known at deploy time only.
        """
        super().__init__(scope, name)
        release, bucket = release_of(bundle), folder.bucket
        upload: dict[str, Any] = {"to": bucket}
        if folder.guest:
            # In somebody else's bucket nothing stays behind: Airflow would show DAGs whose tasks are gone.
            upload |= {"stays": False, "role": upload_role or guest_role(self, folder, bundle)}
        with tempfile.TemporaryDirectory(prefix="penstock-release-") as staged:
            stage(bundle, Path(staged))
            files = deploy_files(
                self,
                "Files",
                prefix=f"{folder.path}/{contract.RELEASES_FOLDER}",
                # Nothing is deleted here: runs go on, and a push or a roll-back may need an older release.
                sources=[s3_deployment.Source.asset(staged)],
                **upload,
            )
        self._facts = deploy_files(
            self,
            "Facts",
            prefix=folder.path,
            sources=[s3_deployment.Source.json_data(file, content) for file, content in sorted(facts.items())],
            **upload,
        )
        function = release_function(self, _statements(cdk.Stack.of(self), artifacts, folder))
        self._live = release_resource(
            self, function, "activate", plan, release, source, artifacts=artifacts, bucket=bucket, folder=folder.path
        )
        self._live.node.add_dependency(files, self._facts)

    def comes_after(self, *needed: IDependable) -> None:
        """Wait for what the facts describe and the DAGs need; then write the facts, and switch right after them.

        Facts that come before what they describe are wrong while it is being made (half an hour for an update of MWAA,
        or as long as a roll-back takes): a push would count on task definitions that do not exist.
        """
        self._facts.node.add_dependency(*needed)
        self._live.node.add_dependency(*needed)


def _statements(stack: cdk.Stack, artifacts: s3.IBucket, folder: DagFolder) -> list[iam.PolicyStatement]:
    """What the function may do: switch the release, and sweep old ones."""
    bucket = folder.bucket
    releases = f"{folder.path}/{contract.RELEASES_FOLDER}/*"
    swept = (contract.PLANS_PREFIX, contract.FILES_PREFIX)
    statements = [
        *manifest_statements(artifacts, write=True),
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": releases}},
        ),
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects(releases)]),
        iam.PolicyStatement(
            actions=["s3:PutObject", "s3:DeleteObject"], resources=[bucket.arn_for_objects(f"{folder.path}/*")]
        ),
        iam.PolicyStatement(
            actions=["s3:DeleteObject"], resources=[artifacts.arn_for_objects(f"{prefix}/*") for prefix in swept]
        ),
        # The plans say which files are no longer needed.
        iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[artifacts.arn_for_objects(f"{contract.PLANS_PREFIX}/*")]
        ),
        own_stack_statement(stack),
    ]
    key = bucket.encryption_key.key_arn if bucket.encryption_key else folder.kms_key
    if key:
        statements.append(key_statement(stack, key, write=True))
    return statements


def release_of(bundle: Path) -> str:
    """The hash of the one release in a bundle's folder."""
    (release,) = (path.name for path in (bundle / contract.RELEASES_FOLDER).iterdir() if path.is_dir())
    return release


def stage(bundle: Path, to: Path) -> None:
    """Lay a bundle out for its upload: `<hash>/…`, and in `<hash>/top/` the files that go beside the releases."""
    shutil.copytree(bundle / contract.RELEASES_FOLDER, to, dirs_exist_ok=True)
    shutil.copytree(
        bundle,
        to / release_of(bundle) / manifest.TOP,
        ignore=lambda folder, _: [contract.RELEASES_FOLDER] if Path(folder) == bundle else [],
    )
