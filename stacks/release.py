"""The plan's DAGs in a bucket: uploaded, then made live by one rule that `penstock push` follows too.

    ReleaseCheck       before anything changes: is something newer live? Then the deploy stops here.
    ReleaseDeployment  after everything else: the files, what they find deployed, and the switch to them.

docs/adr/0004-who-owns-the-live-release.md says why.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct, IDependable

from penstock_runtime import contract
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release import activation, infrastructure, manifest
from stacks.airflow.dag_folder import DagFolder, guest_role
from stacks.bucket import deploy_files, key_statement
from stacks.function import MINUTES, function_of
from stacks.nag import acknowledge_function


@dataclass(frozen=True)
class Source:
    """Where the project that is deployed comes from; see `penstock_runtime.release.manifest.Release`."""

    order: int = 0
    committed: int = 0
    revision: str = ""
    replace: str = ""
    """When it was asked to take the place of something newer, ISO 8601; empty: it was not. A time, because
    CloudFormation leaves a resource alone that has the properties of the deploy before, whatever was pushed since."""


class ReleaseCheck(Construct):
    """Fails the deploy where what is live is newer than what is about to be deployed. Changes nothing."""

    def __init__(
        self, scope: Construct, name: str, *, plan: Plan, release: str, source: Source, artifacts: s3.IBucket
    ) -> None:
        super().__init__(scope, name)
        stack = cdk.Stack.of(self)
        function = _function(self, [*_manifest(artifacts, write=False), _own_stack(stack)])
        _resource(self, function, "check", plan, release, source, artifacts=artifacts)


class ReleaseDeployment(Construct):
    """The bundle in the DAG bucket, and live. What else is in the bucket is left alone."""

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
            upload_role: of CDK's function in a guest's bucket, where the stack has made it already.
            bundle: folder that holds the bundle's files as they go below `folder`.
            facts: file name → content, written beside the loaders; values may be known at deploy time only.
        """
        super().__init__(scope, name)
        release, bucket = release_of(bundle), folder.bucket
        upload: dict[str, Any] = {"to": bucket}
        if folder.guest:
            # In a bucket that is not ours nothing stays behind: Airflow would show DAGs whose tasks are gone.
            upload |= {"stays": False, "role": upload_role or guest_role(self, folder, bundle)}
        with tempfile.TemporaryDirectory(prefix="penstock-release-") as place:
            stage(bundle, Path(place))
            files = deploy_files(
                self,
                "Files",
                prefix=f"{folder.path}/{contract.RELEASES_FOLDER}",
                # Nothing is deleted here: runs go on, and a push or a roll-back may need an older release.
                sources=[s3_deployment.Source.asset(place)],
                **upload,
            )
        found = deploy_files(
            self,
            "Facts",
            prefix=folder.path,
            sources=[s3_deployment.Source.json_data(file, content) for file, content in sorted(facts.items())],
            **upload,
        )
        statements = [
            *_manifest(artifacts, write=True),
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": f"{folder.path}/{contract.RELEASES_FOLDER}/*"}},
            ),
            iam.PolicyStatement(
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(f"{folder.path}/{contract.RELEASES_FOLDER}/*")],
            ),
            iam.PolicyStatement(
                actions=["s3:PutObject", "s3:DeleteObject"], resources=[bucket.arn_for_objects(f"{folder.path}/*")]
            ),
            iam.PolicyStatement(
                actions=["s3:DeleteObject"],
                resources=[
                    artifacts.arn_for_objects(f"{one}/*") for one in (contract.PLANS_PREFIX, contract.FILES_PREFIX)
                ],
            ),
            # Which files are needed no more, the plans say.
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[artifacts.arn_for_objects(f"{contract.PLANS_PREFIX}/*")]
            ),
            _own_stack(cdk.Stack.of(self)),
        ]
        key = bucket.encryption_key.key_arn if bucket.encryption_key else folder.kms_key
        if key:
            statements.append(key_statement(cdk.Stack.of(self), key, write=True))
        function = _function(self, statements)
        self._found = found
        self._live = _resource(
            self, function, "activate", plan, release, source, artifacts=artifacts, bucket=bucket, folder=folder.path
        )
        self._live.node.add_dependency(files, found)

    def comes_after(self, *needed: IDependable) -> None:
        """What the facts describe and the DAGs need is there first; then the facts, and right after them the switch.

        Facts that come before what they describe are wrong while it is being made, which is half an hour where MWAA is
        updated, and for as long as a roll-back takes: a push would count on task definitions that are not there.
        """
        self._found.node.add_dependency(*needed)
        self._live.node.add_dependency(*needed)


def release_of(bundle: Path) -> str:
    """The hash of the one release in a bundle's folder."""
    (release,) = (path.name for path in (bundle / contract.RELEASES_FOLDER).iterdir() if path.is_dir())
    return release


def stage(bundle: Path, place: Path) -> None:
    """Lay a bundle out as it is uploaded: `<hash>/…`, and in `<hash>/top/` what is to lie beside the releases."""
    shutil.copytree(bundle / contract.RELEASES_FOLDER, place, dirs_exist_ok=True)
    shutil.copytree(
        bundle,
        place / release_of(bundle) / manifest.TOP,
        ignore=lambda folder, _: [contract.RELEASES_FOLDER] if Path(folder) == bundle else [],
    )


def _resource(
    scope: Construct,
    function: lambda_.Function,
    do: str,
    plan: Plan,
    release: str,
    source: Source,
    *,
    artifacts: s3.IBucket,
    bucket: s3.IBucket | None = None,
    folder: str = "",
) -> cdk.CustomResource:
    """What `activation.handler` reads."""
    resource = cdk.CustomResource(
        scope,
        "Resource",
        resource_type="Custom::PenstockRelease",
        service_token=function.function_arn,
        service_timeout=cdk.Duration.minutes(MINUTES + 1),
        properties={
            "Do": do,
            "Artifacts": artifacts.bucket_name,
            "Bucket": bucket.bucket_name if bucket else "",
            "Folder": folder,
            "Release": release,
            "Plan": infrastructure.plan_sha256(plan),
            # Text: CloudFormation hands numbers and booleans to functions as text anyway.
            "Order": str(source.order),
            "Committed": str(source.committed),
            "Revision": source.revision,
            "Replace": source.replace or "false",
        },
    )
    # Its permissions first.
    resource.node.add_dependency(function)
    return resource


def _function(scope: Construct, statements: Sequence[iam.PolicyStatement]) -> lambda_.Function:
    """`activation.py` as a Lambda function that may do this much."""
    function = function_of(
        scope,
        activation,
        statements,
        description="Penstock: which release of the DAGs is live",
        wildcards="Below one folder of each of its own buckets, and the streams of its own log group.",
    )
    acknowledge_function(function)
    return function


def _manifest(artifacts: s3.IBucket, *, write: bool) -> list[iam.PolicyStatement]:
    key = manifest.MANIFEST
    return [
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[artifacts.bucket_arn],
            conditions={"StringEquals": {"s3:prefix": key}},
        ),
        iam.PolicyStatement(
            actions=["s3:GetObject", "s3:PutObject"] if write else ["s3:GetObject"],
            resources=[artifacts.arn_for_objects(key)],
        ),
    ]


def _own_stack(stack: cdk.Stack) -> iam.PolicyStatement:
    """To tell a roll-back from a deploy."""
    return iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id])
