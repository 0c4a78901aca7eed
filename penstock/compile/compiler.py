"""Project → Plan: every choice made, every default filled, every name given. Touches no disk.

The tasks of all schedules are drafted (`tasks`); then the drafts share task definitions (`task_definitions`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

from penstock.compile import catalogue, network, reach, reference_warnings, warnings
from penstock.compile.airflow import AnyAirflow, airflow_problems, compiled, options, role_name_problems
from penstock.compile.inputs import Inputs
from penstock.compile.observability import observability
from penstock.compile.plan_warnings import plan_warnings
from penstock.compile.schedules import drafted_schedules, id_problems
from penstock.compile.task_definitions import Draft, definitions, keys_of
from penstock.compile.tasks import WorkerDraft
from penstock.project.document.problems import Problems, nearest
from penstock.project.loaded import Project
from penstock.project.secrets import references
from penstock.versions import airflow as versions
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.errors import InputError
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.plan import Ecs, Iam, Logs, Plan
from penstock_runtime.plan.task_definition import Secret, TaskDefinition

FORMAT = 1


def compile_plan(
    project: Project,
    environment: str | None = None,
    *,
    variables: Mapping[str, str] | None = None,
    airflow_version: str | None = None,
    only_ecs: bool = False,
) -> Plan:
    """Work out a project for one environment; None: the default one.

    Args:
        variables: win over the project's.
        airflow_version: wins over the project's own, to try another one.
        only_ecs: the plan as if all tasks ran by the operator `ecs`, for a file that is exported.

    Raises:
        InputError, InputErrors: an environment or variable that the project does not know, no Airflow version, two
            schedules with one DAG id, a task whose environment is too large.
    """
    name = project.default_environment if environment is None else environment
    inputs = replace(_inputs(project, name, dict(variables or {}), airflow_version), only_ecs=only_ecs)
    problems = Problems()
    if (no_way := catalogue.problem(inputs)) is not None:
        problems.add_all(inputs.located([no_way]))
    drafted = drafted_schedules(inputs, problems)
    problems.add_all(id_problems(drafted))
    every = [draft for schedule in drafted for draft in schedule.drafts]
    configs = {draft.config.sha256: draft.config for draft in every if draft.config is not None}
    drafts = [draft for draft in every if isinstance(draft, Draft)]
    in_workers = [draft for draft in every if isinstance(draft, WorkerDraft)]
    worker_secrets = {secret.name: secret for draft in in_workers for secret in draft.secrets}
    locks = {draft.requirements.sha256: draft.requirements for draft in in_workers if draft.requirements is not None}
    pull_through = {draft.pull_through.prefix: draft.pull_through for draft in drafts if draft.pull_through is not None}
    files = {file.path: file for draft in drafts for file in draft.project_files}
    settings, prefix = inputs.settings, inputs.prefix
    families, task_definitions = definitions(
        prefix,
        settings.region,
        _secrets(inputs),
        drafts,
        role_names=settings.iam.role_name_prefix,
        role_path=settings.iam.role_path,
        kms_keys=settings.secret_kms_keys,
    )
    problems.raise_all()
    problems.add_all(inputs.located(airflow_problems(inputs)))
    airflow = compiled(inputs)
    planned_network = _network(inputs, task_definitions, airflow, problems)
    watch, about_observability = observability(
        settings.observability, settings.region, task_definitions, settings.airflow.way
    )
    unwatched = [schedule.schedule.name for schedule in drafted if schedule.is_unwatched]
    about_project = warnings.warnings(project, name, airflow, len(drafted), planned_network.endpoints)
    about_files = reference_warnings.warnings(project, project.environment(name), inputs.variables, drafts)
    all_warnings = (
        *(text for schedule in drafted for text in schedule.warnings),
        *catalogue.long_ids(inputs, [schedule.schedule.dag_id for schedule in drafted]),
        *plan_warnings(inputs, task_definitions, planned_network, airflow, unwatched, configs.values()),
        *(inputs.warning(text, *path) for text, path in about_project),
        *(f"{project.place(where)}: {text}" for text, where in about_files),
        *(inputs.warning(text, "observability", *path) for text, path in about_observability),
    )
    return Plan(
        format=FORMAT,
        project=settings.name,
        environment=name,
        account=settings.account,
        region=settings.region,
        prefix=prefix,
        cluster=prefix,
        log_group=f"/penstock/{prefix}",
        log_retention_days=settings.logs.retention_days,
        network=planned_network,
        airflow=airflow,
        task_definitions=task_definitions,
        configs=tuple(sorted(configs.values(), key=lambda config: config.sha256)),
        schedules=tuple(
            replace(
                schedule.schedule,
                tasks=tuple(
                    replace(draft.task, family=families[draft.key]) if isinstance(draft, Draft) else draft.task
                    for draft in schedule.drafts
                ),
            )
            for schedule in sorted(drafted, key=lambda drafted: drafted.schedule.dag_id)
        ),
        dag_files=project.dag_folder.files,
        protected=settings.protected,
        observability=watch,
        warnings=all_warnings,
        left_out=_left_out(inputs),
        ecs=Ecs(**settings.ecs.model_dump()),
        logs=Logs(**settings.logs.model_dump(exclude={"retention_days"})),
        iam=Iam(**settings.iam.model_dump()),
        tags=dict(sorted(settings.tags.items())),
        pull_through=tuple(rule for _, rule in sorted(pull_through.items())),
        worker_secrets=tuple(secret for _, secret in sorted(worker_secrets.items())),
        worker_secret_kms_keys=keys_of(worker_secrets.values(), settings.secret_kms_keys, settings.region),
        requirements=tuple(lock for _, lock in sorted(locks.items())),
        files=tuple(file for _, file in sorted(files.items())),
        catalogue=catalogue.planned(inputs),
    )


def _inputs(project: Project, name: str, variables: dict[str, str], airflow_version: str | None) -> Inputs:
    environment = project.environment(name)
    settings = environment.settings
    known = {*settings.variables, SERVER_VARIABLE}
    for variable in variables:
        if variable not in known:
            fix = nearest(variable, known, kind="variable")
            raise InputError(f"the project has no variable {variable[:60]!r}", fix=fix)
    version = settings.airflow.chosen.version if airflow_version is None else airflow_version
    if problem := versions.problem(version):
        raise problem.error()
    return Inputs(project, name, environment, {**settings.variables, **variables}, version)


def _left_out(inputs: Inputs) -> tuple[str, ...]:
    """Meltano's schedules that cannot run."""
    settings = inputs.settings.meltano
    problems = inputs.project.meltanos[settings.project].left_out if settings is not None else ()
    return tuple(f"{inputs.project.place(problem.where)}: {problem.what}: {problem.fix}" for problem in problems)


def _secrets(inputs: Inputs) -> dict[str, Secret]:
    own = {
        name: references.parse(name, reference, inputs.where("secrets", name))
        for name, reference in inputs.settings.secrets.items()
    }
    return own | catalogue.secrets(inputs)


def _network(
    inputs: Inputs, task_definitions: tuple[TaskDefinition, ...], airflow: AnyAirflow, problems: Problems
) -> Network:
    unreachable = chain(
        network.unreachable_images(inputs.settings, task_definitions, inputs.prefix),
        reach.unreachable_hosts(inputs.project, inputs.settings, inputs.variables),
        role_name_problems(inputs, airflow),
    )
    problems.add_all(inputs.located(unreachable))
    problems.raise_all()
    return network.network_of(inputs.settings, task_definitions, options(airflow))
