"""Project → Plan: every choice made, every default filled, every name given. Touches no disk.

The tasks of all schedules are drafted (`drafts`); then the drafts share task definitions (`definitions`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from penstock.compile import endpoints, mwaa, network, reach, reference_warnings, warnings
from penstock.compile.observability import observability, overdue_after_minutes
from penstock.compile.task_definitions import Draft, definitions
from penstock.compile.tasks import Drafting, arguments_of
from penstock.project.airflow import existing
from penstock.project.document.document import at
from penstock.project.document.problems import Problems, nearest
from penstock.project.environments import Environment, prefix_of
from penstock.project.jobs import interval, interval_warnings, schedules
from penstock.project.jobs.schedules import ScheduleSettings
from penstock.project.loaded import Project
from penstock.project.meltano.project import MeltanoSchedule
from penstock.project.network.hosts import is_sealed
from penstock.project.openmetadata import checks
from penstock.project.rules import connections, memory, own_images
from penstock.project.schema.model import settled
from penstock.project.secrets import references
from penstock.versions import airflow as versions
from penstock.versions import cron as cron_reading
from penstock_runtime.contract import MAX_ROLE_NAME, RELEASES_FOLDER, SERVER_VARIABLE, endpoint_role_name
from penstock_runtime.errors import InputError
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.plan import Ecs, Iam, Logs, Plan
from penstock_runtime.plan.schedule import Schedule
from penstock_runtime.plan.task_definition import Secret, TaskDefinition

_AnyAirflow = Airflow | UsedAirflow | SelfManagedAirflow

FORMAT = 1
MAX_TASKS = 20_000
"""Tasks of all schedules together; the largest MWAA class takes about 4000 DAGs."""
ROLES_OF_AN_ACCOUNT = 1_000
"""AWS IAM User Guide, "IAM and AWS STS quotas": roles in an account, by default."""
ROLES_OF_OTHERS = 100
"""Left for what else there is in the account before a project is warned about the quota."""
MAX_UPLOAD_FOLDER = 102
"""Characters of the folder that a BucketDeployment fills: `aws-cdk:cr-owned:<folder>:<8 digits>` is a tag's key, which
has 128 (aws-cdk-lib 2.275.0, whose message says 104)."""
MAX_DAG_ID = 250
"""Airflow: `ID_LEN`."""
MAX_TAG = 100
"""Airflow: `TAG_MAX_LEN`."""


def compile_plan(
    project: Project,
    environment: str | None = None,
    *,
    variables: Mapping[str, str] | None = None,
    airflow_version: str | None = None,
) -> Plan:
    """Work out a project for one environment; None: the default one.

    Args:
        variables: win over the project's.
        airflow_version: wins over the project's own, to try another one.

    Raises:
        InputError, InputErrors: an environment or variable that the project does not know, no Airflow version, two
            schedules with one DAG id, a task whose environment is too large.
    """
    name = project.default_environment if environment is None else environment
    return _Compiler(project, name, project.environment(name), dict(variables or {}), airflow_version).compile()


class _Compiler:
    def __init__(
        self,
        project: Project,
        name: str,
        environment: Environment,
        variables: dict[str, str],
        airflow_version: str | None,
    ) -> None:
        self._project, self._name = project, name
        self._environment = environment
        self._settings, self._root = environment.settings, environment.root
        known = {*self._settings.variables, SERVER_VARIABLE}
        for variable in variables:
            if variable not in known:
                fix = nearest(variable, known, kind="variable")
                raise InputError(f"the project has no variable {variable[:60]!r}", fix=fix)
        self._variables = {**self._settings.variables, **variables}
        own = self._settings.airflow.chosen.version
        self._airflow_version = own if airflow_version is None else airflow_version
        if problem := versions.problem(self._airflow_version):
            raise problem.error()
        self._problems = Problems()
        self._drafting = Drafting(project, name, environment, self._variables, self._problems)
        self._warnings: list[str] = []
        self._unwatched: list[str] = []
        """Names of schedules whose success nothing reports, and which are to be watched."""

    def compile(self) -> Plan:
        settings = self._settings
        prefix = prefix_of(settings.name, self._name)
        drafted = self._drafted()
        self._check_ids([schedule for schedule, _, _ in drafted], [where for _, _, where in drafted])
        drafts = [draft for _, some, _ in drafted for draft in some]
        families, found = definitions(
            prefix,
            settings.region,
            self._secrets(),
            drafts,
            role_names=settings.iam.role_name_prefix,
            role_path=settings.iam.role_path,
            kms_keys=settings.secret_kms_keys,
        )
        self._problems.raise_all()
        airflow = self._airflow(prefix)
        where_they_run = self._network(found, airflow)
        watch, untold = observability(settings.observability, settings.region, found, settings.airflow.way)
        self._warn(found, where_they_run, airflow)
        told = warnings.warnings(self._project, self._name, airflow, len(drafted), where_they_run.endpoints)
        for text, place in told:
            self._warning(text, *place)
        told_of_files = reference_warnings.warnings(
            self._project, self._project.environment(self._name), self._variables, drafts
        )
        self._warnings += [f"{self._project.place(where)}: {text}" for text, where in told_of_files]
        for warning, key in untold:
            self._warning(warning, "observability", *key)
        return Plan(
            format=FORMAT,
            project=settings.name,
            environment=self._name,
            account=settings.account,
            region=settings.region,
            prefix=prefix,
            cluster=prefix,
            log_group=f"/penstock/{prefix}",
            log_retention_days=settings.logs.retention_days,
            network=where_they_run,
            airflow=airflow,
            task_definitions=found,
            configs=tuple(sorted(self._drafting.configs.values(), key=lambda config: config.sha256)),
            schedules=tuple(
                replace(schedule, tasks=tuple(replace(draft.task, family=families[draft.key]) for draft in drafts))
                for schedule, drafts, _ in sorted(drafted, key=lambda one: one[0].dag_id)
            ),
            dag_files=self._project.dag_folder.files,
            protected=settings.protected,
            observability=watch,
            warnings=tuple(self._warnings),
            ecs=Ecs(**settings.ecs.model_dump()),
            logs=Logs(**settings.logs.model_dump(exclude={"retention_days"})),
            iam=Iam(**settings.iam.model_dump()),
            tags=dict(sorted(settings.tags.items())),
            pull_through=tuple(rule for _, rule in sorted(self._drafting.pull_through.items())),
            files=tuple(file for _, file in sorted(self._drafting.files.items())),
        )

    def _drafted(self) -> list[tuple[Schedule, list[Draft], str]]:
        drafted, tasks = [], 0
        for schedule, drafts, where in chain(self._own_schedules(), self._meltano_schedules()):
            tasks += len(drafts)
            if tasks > MAX_TASKS:
                what = f"the schedules up to this one have more than {MAX_TASKS} tasks"
                raise InputError(what, fix="split the project", where=where)
            alarms, place = self._settings.observability.alarms, self._where("observability", "alarms", "overdue")
            known = tuple(draft.task for draft in drafts)
            due = overdue_after_minutes(alarms, replace(schedule, tasks=known), place)
            if due is not None and not own_images.seen(known):
                self._unwatched.append(schedule.name)
                due = None
            drafted.append((replace(schedule, overdue_after_minutes=due), drafts, where))
        return drafted

    def _where(self, *path: Any) -> str:
        return self._project.document.where(at(self._root, path))

    def _secrets(self) -> dict[str, Secret]:
        return {
            name: references.parse(name, reference, self._where("secrets", name))
            for name, reference in self._settings.secrets.items()
        }

    def _network(self, found: tuple[TaskDefinition, ...], airflow: _AnyAirflow) -> Network:
        prefix = prefix_of(self._settings.name, self._name)
        for what, fix, place in network.out_of_reach(self._settings, found, prefix):
            self._problems.add(what, fix=fix, where=self._where(*place))
        if (server := reach.server_out_of_reach(self._project, self._settings, self._variables)) is not None:
            self._problems.add(server[0], fix=server[1], where=self._where(*server[2]))
        for what, fix, where in reach.unreachable(self._project, self._settings, self._variables):
            self._problems.add(what, fix=fix, where=where)
        self._check_role_name(airflow)
        self._problems.raise_all()
        return network.network_of(self._settings, found, _options(airflow))

    def _check_role_name(self, airflow: _AnyAirflow) -> None:
        """The role that makes endpoints in a shared VPC has a name that its owner trusts."""
        use = self._settings.network.use
        if not isinstance(airflow, Airflow) or airflow.endpoint_management != "customer":
            return
        if use is None or use.shared_by is None or use.shared_by.role is None:
            return
        name = endpoint_role_name(self._settings.iam.role_name_prefix, airflow.name, self._settings.region)
        if len(name) > MAX_ROLE_NAME:
            what = f"the role {name} would have a name of {len(name)} characters; IAM takes {MAX_ROLE_NAME}"
            fix = "shorten iam.role_name_prefix, or the name of the project or environment"
            self._problems.add(what, fix=fix, where=self._where("network", "use", "shared_by"))

    def _check_folder(self, dags: str, prefix: str) -> None:
        """The folder of the releases, which CDK's upload makes part of a tag's key."""
        room = MAX_UPLOAD_FOLDER - len(f"/{prefix}/{RELEASES_FOLDER}")
        if len(dags) > room:
            what = f"the DAG folder has {len(dags)} characters, and there is room for {room} before /{prefix}/"
            where = self._where("airflow", self._settings.airflow.way, "dags")
            self._problems.add(what, fix="use a shorter folder", where=where)

    def _airflow(self, prefix: str) -> _AnyAirflow:
        chosen = self._settings.airflow.chosen
        self._check_folder(chosen.dags, prefix)
        if isinstance(chosen, existing.UseAirflow):
            role = chosen.execution_role.rsplit("/", 1)[-1]
            where = (chosen.bucket, chosen.dags)
            return UsedAirflow(chosen.environment, self._airflow_version, *where, role, chosen.kms_key)
        if isinstance(chosen, existing.SelfManagedAirflow):
            return SelfManagedAirflow(self._airflow_version, chosen.bucket, chosen.dags, chosen.kms_key)
        sealed = is_sealed(self._settings.network)
        files, variables = self._project.mwaa_files, self._variables
        if variables != self._settings.variables:
            # As for a task's: `load` has checked them with the project's own.
            for problem in mwaa.wrong_permissions(chosen, variables, self._settings.region):
                place = self._where("airflow", "create", *problem.path)
                self._problems.add(problem.what, fix=problem.fix, where=place)
        return mwaa.environment(prefix, chosen, self._airflow_version, files, variables=variables, sealed=sealed)

    # Schedules

    def _own_schedules(self) -> Iterator[tuple[Schedule, list[Draft], str]]:
        settings = self._settings
        for index, schedule in enumerate(settings.schedules):
            node = at(self._root, ("schedules", index))
            where = self._project.document.where(node)
            run = _settled(settings.defaults.schedule, schedule)
            cron, every_minutes = interval.read(schedule.interval, where)
            if every_minutes is None:
                place = self._where("schedules", index, "interval")
                self._check_interval(cron, schedule.interval, run["timezone"], place)
            yield (
                _schedule(
                    run,
                    name=schedule.name,
                    dag_id=settings.airflow.dag_prefix + schedule.name,
                    job=schedule.job,
                    cron=cron,
                    every_minutes=every_minutes,
                    description=schedule.description,
                    source=self._project.document.source(node),
                ),
                self._drafting.job(schedule.job, schedule.env, where),
                where,
            )

    def _meltano_schedules(self) -> Iterator[tuple[Schedule, list[Draft], str]]:
        for one in self._meltano_listing():
            tags = [*(self._settings.defaults.schedule.tags or []), *_meltano_tags(one)]
            # Meltano's intervals are in UTC and never catch up, whatever the project's defaults say.
            own = ScheduleSettings(timezone="UTC", catchup=False, tags=tags)
            if one.start_date is not None:
                own = own.model_copy(update={"start_date": one.start_date})
            run = _settled(self._settings.defaults.schedule, own)
            self._check_interval(one.cron, one.source, "UTC", one.where)
            dag_id = self._settings.airflow.dag_prefix + one.dag_id
            if one.job is None:
                commands, names = [("elt", *one.elt)], ["extract_load"]
            else:
                commands = [("run", *arguments_of(task)) for task in one.tasks]
                names = [f"{dag_id}_task{index}" for index in range(len(commands))]
            drafts = [
                self._drafting.meltano(name, tuple(names[max(index - 1, 0) : index]), command, one.env, one.where)
                for index, (name, command) in enumerate(zip(names, commands, strict=True))
            ]
            yield (
                _schedule(
                    run,
                    name=one.name,
                    dag_id=dag_id,
                    job=one.job if one.job is not None else one.name,
                    cron=one.cron,
                    description=f"Meltano schedule {one.name}",
                    source=one.source,
                ),
                drafts,
                one.where,
            )

    def _meltano_listing(self) -> tuple[MeltanoSchedule, ...]:
        settings = self._settings.meltano
        return self._project.meltanos[settings.project].schedules if settings else ()

    def _check_interval(self, cron: str | None, written: str, timezone: str, where: str) -> None:
        """What the environment's Airflow makes of an interval; `written`: it, or the schedule that it stands in."""
        if cron is None:
            found = [interval_warnings.ONCE] if "@once" in written else []
        elif refused := cron_reading.refused(cron, self._airflow_version):
            self._problems.add(refused[0], fix=refused[1], where=where)
            return
        else:
            found = list(interval_warnings.warnings(cron, timezone, self._airflow_version))
        self._warnings.extend(f"{self._project.place(where)}: {text}" for text in found)

    def _check_ids(self, found: list[Schedule], places: list[str]) -> None:
        """Every DAG id is one that Airflow takes, and belongs to one schedule."""
        first: dict[str, str] = {}
        for schedule, where in zip(found, places, strict=True):
            dag_id = schedule.dag_id
            # ASCII: schedule and task are dimensions of CloudWatch's, which takes no other (Amazon CloudWatch API
            # Reference, Dimension).
            if not re.fullmatch(r"[A-Za-z0-9_.-]+", dag_id) or len(dag_id) > MAX_DAG_ID:
                what = f"{dag_id[:80]!r} cannot be a DAG id"
                fix = f"rename it: letters from A to Z, digits, `_`, `.` and `-`, at most {MAX_DAG_ID}"
                self._problems.add(what, fix=fix, where=where)
            if dag_id in first:
                what = f"DAG id {dag_id!r} is taken by the schedule at {first[dag_id]}"
                self._problems.add(what, fix="rename one of the two", where=where)
            first.setdefault(dag_id, where)

    # Warnings

    def _warn(self, found: tuple[TaskDefinition, ...], made: Network, airflow: _AnyAirflow) -> None:
        catalogue = self._settings.openmetadata
        if self._airflow_version not in versions.AIRFLOW:
            known = ", ".join(versions.AIRFLOW)
            refused = "; one that MWAA does not offer fails at the deploy" if self._settings.airflow.create else ""
            self._warning(
                f"Airflow {self._airflow_version} is not in the table of {versions.CHECKED}: {known}{refused}",
                "airflow",
                self._settings.airflow.way,
                "version",
            )
        if catalogue and versions.line(catalogue.version) not in versions.OPENMETADATA_LINES:
            known = ", ".join(versions.OPENMETADATA_LINES)
            self._warning(
                f"OpenMetadata {catalogue.version} was not tried; tried were {known}", "openmetadata", "version"
            )
        if 2 * len(found) > ROLES_OF_AN_ACCOUNT - ROLES_OF_OTHERS:
            self._warning(
                f"{len(found)} task definitions have {2 * len(found)} roles, and an account has room for "
                f"{ROLES_OF_AN_ACCOUNT} unless that quota is raised: let tasks share secrets and permissions",
                "jobs",
            )
        for text, place in chain(
            warnings.region_warnings(self._settings),
            network.warnings(self._settings),
            endpoints.missed(self._settings, found, _options(airflow)),
            endpoints.far_secrets(self._settings, found),
            memory.warnings(self._settings),
            own_images.unmasked(self._settings),
            checks.warnings(self._settings.openmetadata, self._settings.variables),
            reach.without_endpoint(self._settings, made.endpoints),
        ):
            self._warning(text, *place)
        self._warnings += [self._project.place(text) for text in self._project.dag_folder.warnings]
        if self._unwatched:
            self._warning(own_images.unwatched(self._unwatched), "schedules")
        absent = self._project.missing_files(self._environment)
        # Once each: tasks share workflow files.
        uncertain = dict.fromkeys(f"{where}: {one.what}: {one.fix}" for one, where in absent if not one.certain)
        self._warnings += [self._project.place(text) for text in uncertain]
        for text, where in connections.warnings(self._project.workflows, self._settings):
            self._warnings.append(f"{self._project.place(where)}: {text}")
        needed = any(f"${{{SERVER_VARIABLE}}}" in config.text for config in self._drafting.configs.values())
        if needed and SERVER_VARIABLE not in self._variables:
            self._warning(
                f"environment {self._name!r} names no OpenMetadata server: set openmetadata.server, "
                f"or give {SERVER_VARIABLE} a value; until then its workflows fail",
                "openmetadata",
            )

    def _warning(self, text: str, *path: Any) -> None:
        self._warnings.append(f"{self._project.place(self._where(*path))}: {text}")


def _options(airflow: _AnyAirflow) -> dict[str, str]:
    return airflow.options if isinstance(airflow, Airflow) else {}


def _settled(*layers: ScheduleSettings) -> dict[str, Any]:
    """What holds for a schedule: each setting from the last layer that has it, the delay between tries in seconds."""
    layers = (schedules.BASE, *layers)
    run = settled(ScheduleSettings, *layers)
    run.pop("retry_delay_minutes", None)
    return {**run, "retry_delay_seconds": schedules.retry_delay_seconds(*layers)}


def _schedule(run: dict[str, Any], **fields: Any) -> Schedule:
    """A schedule without its tasks."""
    run = {**run, "start_date": run["start_date"].isoformat(), "email": tuple(run["email"]), "tags": tuple(run["tags"])}
    return Schedule(**run, **fields, overdue_after_minutes=None, tasks=())


def _meltano_tags(one: MeltanoSchedule) -> list[str]:
    """The tags that Meltano's own generator (files-airflow) gives."""
    tags = ["meltano", f"schedule:{one.name}"]
    tags += [f"job:{one.job}"] if one.job is not None else []
    return [tag[:MAX_TAG] for tag in tags]
