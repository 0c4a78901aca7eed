"""All stacks of a plan, put together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.plan import Plan
from stacks.airflow.dags import Delivery
from stacks.airflow.existing import SelfManagedAirflowStack, UsedAirflowStack
from stacks.airflow.stack import AirflowStack
from stacks.ingestion.stack import IngestionStack
from stacks.nag import InlinePolicies
from stacks.network.stack import network_of
from stacks.observability.stack import ObservabilityStack, watches
from stacks.release.deployment import release_of
from stacks.release.source import Source
from stacks.roles import apply_role_settings


@dataclass(frozen=True)
class Files:
    """What goes to the buckets and into images: folders on this machine."""

    bundle: Path
    """As below `dags/<prefix>/`."""
    artifacts: Path
    """By key in the artifacts bucket."""
    runtime_sha256: str
    project_root: Path
    environment: Path | None = None
    """Requirements, plugins and startup script of the MWAA environment, by key in the DAG bucket; None: it has none."""
    task_files: Path | None = None
    """What tasks get of the project, each file under its hash; None: nothing."""


def build_stacks(
    scope: Construct, plan: Plan, files: Files, *, account: str | None, source: Source | None = None
) -> None:
    """Add the plan's stacks to `scope`, tagged; the plan's warnings become warnings of the synth.

    Args:
        account: where to deploy if the plan names no account; None: wherever the credentials point.
        source: where the project comes from; None: not known.
    """
    if plan.iam.bootstrap_qualifier is not None:
        # CDK's own setting (`BOOTSTRAP_QUALIFIER_CONTEXT`), which the synthesizer of each stack below reads.
        scope.node.set_context("@aws-cdk/core:bootstrapQualifier", plan.iam.bootstrap_qualifier)
    env = cdk.Environment(account=plan.account or account, region=plan.region)
    source = Source() if source is None else source
    # Each stack is given them: it takes no tag from the scope that it is in (CDK's feature flag `explicitStackTags`).
    tags = {**plan.tags, "penstock:project": plan.project, "penstock:environment": plan.environment}
    # CloudFormation deletes none of the protected ones until somebody takes the mark off and deploys that.
    shared: dict[str, Any] = {"env": env, "termination_protection": plan.protected, "tags": tags}
    network = network_of(scope, plan, **shared)
    ingestion = IngestionStack(
        scope,
        f"{plan.prefix}-ingestion",
        plan=plan,
        artifacts=files.artifacts,
        task_files=files.task_files,
        runtime_sha256=files.runtime_sha256,
        project_root=files.project_root,
        release=release_of(files.bundle),
        source=source,
        **shared,
    )
    name = f"{plan.prefix}-airflow"
    delivery = Delivery(plan, network, ingestion, files.bundle, source)
    airflow_name: str | None = None
    airflow: cdk.Stack
    match plan.airflow:
        case UsedAirflow() as existing:
            airflow_name = existing.name
            airflow = UsedAirflowStack(scope, name, airflow=existing, delivery=delivery, **shared)
        case SelfManagedAirflow() as theirs:
            airflow = SelfManagedAirflowStack(scope, name, airflow=theirs, delivery=delivery, **shared)
        case Airflow() as new:
            airflow_name = new.name
            airflow = AirflowStack(
                scope, name, airflow=new, delivery=delivery, environment_files=files.environment, **shared
            )
    if watches(plan, airflow_name=airflow_name):
        observability = ObservabilityStack(
            scope,
            f"{plan.prefix}-observability",
            plan=plan,
            artifacts=ingestion.artifacts_name,
            airflow_name=airflow_name,
            **shared,
        )
        # An alarm on an Airflow that does not exist yet would go off. With endpoint_management `customer` it does: the
        # Airflow stack is done before its environment, and until that is there nothing else would report a failure.
        observability.add_stack_dependency(airflow)
    apply_role_settings(scope, plan)
    cdk.Aspects.of(scope).add(InlinePolicies())
    for key, value in tags.items():
        cdk.Tags.of(scope).add(key, value)
    for number, warning in enumerate(plan.warnings, 1):
        cdk.Annotations.of(ingestion).add_warning_v2(f"penstock:warning-{number}", warning)
