"""The Airflow of an environment, as the plan describes it: created, used or self-managed."""

from __future__ import annotations

from penstock.compile import mwaa
from penstock.compile.inputs import Inputs
from penstock.project.airflow import existing
from penstock.project.document.problems import Problems
from penstock.project.network.hosts import is_sealed
from penstock_runtime.contract import MAX_ROLE_NAME, RELEASES_FOLDER, endpoint_role_name
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow

AnyAirflow = Airflow | UsedAirflow | SelfManagedAirflow

MAX_UPLOAD_FOLDER = 102
"""Characters of the folder that a BucketDeployment fills: `aws-cdk:cr-owned:<folder>:<8 digits>` is a tag's key, which
has 128 (aws-cdk-lib 2.275.0, whose message says 104)."""


def compiled(inputs: Inputs, problems: Problems) -> AnyAirflow:
    """The Airflow that the project chooses."""
    chosen = inputs.settings.airflow.chosen
    _check_folder(inputs, chosen.dags, problems)
    if isinstance(chosen, existing.UseAirflow):
        role = chosen.execution_role.rsplit("/", 1)[-1]
        where = (chosen.bucket, chosen.dags)
        return UsedAirflow(chosen.environment, inputs.airflow_version, *where, role, chosen.kms_key)
    if isinstance(chosen, existing.SelfManagedAirflow):
        return SelfManagedAirflow(inputs.airflow_version, chosen.bucket, chosen.dags, chosen.kms_key)
    sealed = is_sealed(inputs.settings.network)
    files, variables = inputs.project.mwaa_files, inputs.variables
    if variables != inputs.settings.variables:
        # As for a task's: `load` has checked them with the project's own.
        for problem in mwaa.wrong_permissions(chosen, variables, inputs.settings.region):
            place = inputs.where("airflow", "create", *problem.path)
            problems.add(problem.what, fix=problem.fix, where=place)
    return mwaa.environment(inputs.prefix, chosen, inputs.airflow_version, files, variables=variables, sealed=sealed)


def options(airflow: AnyAirflow) -> dict[str, str]:
    """Its Airflow options; Penstock knows those of an environment that it creates only."""
    return airflow.options if isinstance(airflow, Airflow) else {}


def check_role_name(inputs: Inputs, airflow: AnyAirflow, problems: Problems) -> None:
    """The role that makes endpoints in a shared VPC has a name that its owner trusts."""
    use = inputs.settings.network.use
    if not isinstance(airflow, Airflow) or airflow.endpoint_management != "customer":
        return
    if use is None or use.shared_by is None or use.shared_by.role is None:
        return
    name = endpoint_role_name(inputs.settings.iam.role_name_prefix, airflow.name, inputs.settings.region)
    if len(name) > MAX_ROLE_NAME:
        what = f"the role {name} would have a name of {len(name)} characters; IAM takes {MAX_ROLE_NAME}"
        fix = "shorten iam.role_name_prefix, or the name of the project or environment"
        problems.add(what, fix=fix, where=inputs.where("network", "use", "shared_by"))


def _check_folder(inputs: Inputs, dags: str, problems: Problems) -> None:
    """The folder of the releases, which CDK's upload makes part of a tag's key."""
    room = MAX_UPLOAD_FOLDER - len(f"/{inputs.prefix}/{RELEASES_FOLDER}")
    if len(dags) > room:
        what = f"the DAG folder has {len(dags)} characters, and there is room for {room} before /{inputs.prefix}/"
        where = inputs.where("airflow", inputs.settings.airflow.way, "dags")
        problems.add(what, fix="use a shorter folder", where=where)
