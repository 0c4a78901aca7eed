"""The Airflow of an environment, as the plan describes it: created, used or self-managed."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.compile import mwaa
from penstock.compile.inputs import Inputs
from penstock.problem import Problem
from penstock.project.airflow import existing
from penstock.project.network.hosts import is_sealed
from penstock_runtime.contract import MAX_ROLE_NAME, RELEASES_FOLDER, endpoint_role_name
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow

AnyAirflow = Airflow | UsedAirflow | SelfManagedAirflow

MAX_UPLOAD_FOLDER = 102
"""Characters of the folder that a BucketDeployment fills: `aws-cdk:cr-owned:<folder>:<8 digits>` is a tag's key, which
has 128 (aws-cdk-lib 2.275.0, whose message says 104)."""


def airflow_problems(inputs: Inputs) -> Iterator[Problem]:
    """What is wrong with the Airflow that the project chooses."""
    airflow = inputs.settings.airflow
    # The folder of the releases, which CDK's upload makes part of a tag's key.
    folder = airflow.chosen.dags
    room = MAX_UPLOAD_FOLDER - len(f"/{inputs.prefix}/{RELEASES_FOLDER}")
    if len(folder) > room:
        what = f"the DAG folder has {len(folder)} characters, and there is room for {room} before /{inputs.prefix}/"
        yield Problem(what, "use a shorter folder", ("airflow", airflow.way, "dags"))
    # As for a task's: `load` has checked them with the project's own variables.
    if airflow.create is not None and inputs.variables != inputs.settings.variables:
        for problem in mwaa.wrong_permissions(airflow.create, inputs.variables, inputs.settings.region):
            yield problem.below("airflow", "create")


def compiled(inputs: Inputs) -> AnyAirflow:
    """The Airflow that the project chooses."""
    chosen = inputs.settings.airflow.chosen
    if isinstance(chosen, existing.UseAirflow):
        role = chosen.execution_role.rsplit("/", 1)[-1]
        where = (chosen.bucket, chosen.dags)
        return UsedAirflow(chosen.environment, inputs.airflow_version, *where, role, chosen.kms_key)
    if isinstance(chosen, existing.SelfManagedAirflow):
        return SelfManagedAirflow(inputs.airflow_version, chosen.bucket, chosen.dags, chosen.kms_key)
    sealed = is_sealed(inputs.settings.network)
    files, variables = inputs.project.mwaa_files, inputs.variables
    return mwaa.environment(inputs.prefix, chosen, inputs.airflow_version, files, variables=variables, sealed=sealed)


def options(airflow: AnyAirflow) -> dict[str, str]:
    """Its Airflow options; Penstock knows those of an environment that it creates only."""
    return airflow.options if isinstance(airflow, Airflow) else {}


def role_name_problems(inputs: Inputs, airflow: AnyAirflow) -> Iterator[Problem]:
    """The role that makes endpoints in a shared VPC has a name that its owner trusts, and IAM takes."""
    use = inputs.settings.network.use
    if not isinstance(airflow, Airflow) or airflow.endpoint_management != "customer":
        return
    if use is None or use.shared_by is None or use.shared_by.role is None:
        return
    name = endpoint_role_name(inputs.settings.iam.role_name_prefix, airflow.name, inputs.settings.region)
    if len(name) > MAX_ROLE_NAME:
        what = f"the role {name} would have a name of {len(name)} characters; IAM takes {MAX_ROLE_NAME}"
        fix = "shorten iam.role_name_prefix, or the name of the project or environment"
        yield Problem(what, fix, ("network", "use", "shared_by"))
