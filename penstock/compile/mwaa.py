"""The MWAA environment of a project → what the plan says of it, and the files that go beside the DAGs.

Each file has a key with the hash of its content. So a change of it is a change of the environment, which MWAA notices;
and as long as the content stays the same, no deploy restarts anything.

What a template leaves out, an update leaves as it was: CloudFormation sends nothing, and MWAA changes what is sent
(aws-cloudformation/aws-cloudformation-resource-providers-mwaa, `UpdateTranslator`). So that what leaves the project
file leaves MWAA too, there are always options, requirements and plugins; where the project has none, such that do
nothing. For the two files the MWAA user guide says so ("Deleting files on Amazon S3"): an empty text or zip file.

Not so for the startup script: a container ends where the step that runs one fails (aws/amazon-mwaa-docker-images,
`mwaa/config/setup_environment.py`), so none runs that nobody asked for. Nor for the maintenance window, which has no
neutral value. Of both, `penstock diff` says that they stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from penstock.aws.mwaa import CLASSES, WORKERS_QUOTA
from penstock.problem import Problem
from penstock.project.airflow import plugins, requirements
from penstock.project.airflow.files import MwaaFiles
from penstock.project.airflow.mwaa import CreateAirflow
from penstock.project.iam.permissions import filled, wrong_permission
from penstock.project.loaded import Project
from penstock_runtime.contract import OWN_FILES_FOLDER
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.airflow import AIRFLOW_LOGS, Airflow, AirflowFile, AirflowLog
from penstock_runtime.plan.plan import Plan

REQUIREMENTS, PLUGINS, STARTUP = "requirements/{}.txt", "plugins/{}.zip", "startup/{}.sh"
"""Keys in the DAG bucket, beside the DAG folder."""

NO_OPTIONS = {"core.default_task_retries": "0"}
"""What Airflow does anyway, in every version: 0 is its default. Not an empty map: CDK drops one."""
NO_REQUIREMENTS = "# The project asks for no packages.\n"
"""Without constraints: those have an address that an environment without a way out would wait for."""


def environment(
    prefix: str,
    create: CreateAirflow,
    version: str,
    files: MwaaFiles,
    *,
    variables: Mapping[str, str],
    sealed: bool = False,
) -> Airflow:
    """What the plan says of an environment.

    Args:
        prefix: the plan's.
        version: Airflow's; it may be another one than the project's.
        files: what `load` has read.
        variables: those of the plan; permissions may name them.
        sealed: whether its network has no way to the internet.
    """
    size = CLASSES[create.environment_class]
    workers = size.counts("worker", *((create.workers.min, create.workers.max) if create.workers else (None, None)))
    wished = (create.web_servers.min, create.web_servers.max) if create.web_servers else (None, None)
    servers = size.counts("web server", *wished)
    wanted = create.requirements
    folder = _folder(prefix, create.bucket)
    return Airflow(
        name=create.name or prefix,
        version=version,
        environment_class=create.environment_class,
        min_workers=workers[0],
        max_workers=workers[1],
        access=create.access,
        web_access_cidrs=tuple(create.web_access_cidrs),
        permissions=tuple(filled(permission, variables) for permission in create.permissions),
        options=dict(create.options) or NO_OPTIONS,
        schedulers=size.schedulers.least if create.schedulers is None else create.schedulers,
        min_web_servers=servers[0],
        max_web_servers=servers[1],
        logs=tuple(
            AirflowLog(kind, getattr(create.logs, kind).enabled, getattr(create.logs, kind).level)
            for kind in AIRFLOW_LOGS
        ),
        log_retention_days=create.logs.retention_days,
        kms_key=create.kms_key,
        maintenance_window=create.maintenance_window,
        worker_replacement=create.worker_replacement,
        endpoint_management=create.endpoint_management,
        requirements=_text_file(
            folder + REQUIREMENTS,
            NO_REQUIREMENTS
            if wanted is None
            else requirements.generate(files.texts[wanted.file], version, wanted.install_from, sealed=sealed),
        ),
        plugins=_key(
            folder + PLUGINS, plugins.with_trigger(files.archives[create.plugins] if create.plugins else None)
        ),
        startup_script=_text_file(folder + STARTUP, files.texts[create.startup_script])
        if create.startup_script is not None
        else None,
        bucket=create.bucket,
        dags=create.dags,
        execution_role=None if create.execution_role is None else create.execution_role.partition(":role/")[2],
    )


def wrong_permissions(create: CreateAirflow, variables: Mapping[str, str], region: str) -> Iterator[Problem]:
    """What is wrong with an environment's permissions, with these variables; paths are below `create`."""
    for index, permission in enumerate(create.permissions):
        for problem in wrong_permission(permission, variables, region):
            yield problem.below("permissions", index)


def warnings(create: CreateAirflow, created: Airflow, dags: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What works, and may be unintended: the text, and the key of `airflow.create` that it is about.

    Args:
        dags: how many DAGs the plan has.
    """
    size = CLASSES[created.environment_class]
    if dags > size.dags:
        yield f"{dags} DAGs, and {created.environment_class} is made for up to {size.dags}", ("class",)
    if created.max_workers > WORKERS_QUOTA:
        yield f"{created.max_workers} workers need a raised quota: an account has {WORKERS_QUOTA}", ("workers",)
    wanted = create.requirements
    if wanted is not None and wanted.install_from == "index" and created.access == "private":
        # MWAA user guide, "Installing Python dependencies", prerequisites: access.
        yield (
            "the web server of a private environment reaches no package index and starts without these packages: "
            "use install_from: plugins where it needs them",
            ("requirements",),
        )


def files(whole: Plan, project: Project) -> dict[str, bytes]:
    """The environment's files: key in the DAG bucket → content. None, where the plan creates no environment.

    Raises:
        PenstockError: the project is not the one that the plan was made of: its plugins differ.
    """
    created = whole.airflow
    if not isinstance(created, Airflow):
        return {}
    contents = {
        file.key: file.text.encode() for file in (created.requirements, created.startup_script) if file is not None
    }
    if created.plugins is not None:
        known = map(plugins.with_trigger, (None, *project.mwaa_files.archives.values()))
        pattern = _folder(whole.prefix, created.bucket) + PLUGINS
        archives = {_key(pattern, content): content for content in known}
        if created.plugins not in archives:
            raise PenstockError("the plugins are not those of the plan", fix="compile the project again")
        contents[created.plugins] = archives[created.plugins]
    return contents


def write(files: Mapping[str, bytes], folder: Path) -> Path | None:
    """Write the files below a folder, by key; None: there are none."""
    for key, content in files.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
    return folder if files else None


def _folder(prefix: str, bucket: str | None) -> str:
    """What the keys of the environment's files begin with."""
    return "" if bucket is None else f"{OWN_FILES_FOLDER}/{prefix}/"


def _text_file(pattern: str, text: str) -> AirflowFile:
    return AirflowFile(_key(pattern, text.encode()), text)


def _key(pattern: str, content: bytes) -> str:
    return pattern.format(hashlib.sha256(content).hexdigest())
