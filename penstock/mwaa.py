"""The MWAA environment of a project → what the plan says of it, and the files that go beside the DAGs.

Each file has a key with the hash of its content. So a change of it is a change of the environment, which MWAA notices;
and as long as the content stays the same, no deploy restarts anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from penstock.mwaa_limits import CLASSES, WORKERS_QUOTA
from penstock.project import requirements
from penstock.project.load import Project
from penstock.project.mwaa import CreateAirflow
from penstock.project.mwaa_files import MwaaFiles
from penstock_runtime.airflow_environment import AIRFLOW_LOGS, Airflow, AirflowFile, AirflowLog
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan import Plan

REQUIREMENTS, PLUGINS, STARTUP = "requirements/{}.txt", "plugins/{}.zip", "startup/{}.sh"
"""Keys in the DAG bucket, beside the DAG folder."""


def environment(name: str, create: CreateAirflow, version: str, files: MwaaFiles, *, sealed: bool = False) -> Airflow:
    """What the plan says of an environment.

    Args:
        version: Airflow's; it may be another one than the project's.
        files: what `load` has read.
        sealed: whether its network has no way to the internet.
    """
    size = CLASSES[create.environment_class]
    workers = size.counts("worker", *((create.workers.min, create.workers.max) if create.workers else (None, None)))
    wished = (create.web_servers.min, create.web_servers.max) if create.web_servers else (None, None)
    servers = size.counts("web server", *wished)
    wanted = create.requirements
    return Airflow(
        name=name,
        version=version,
        environment_class=create.environment_class,
        min_workers=workers[0],
        max_workers=workers[1],
        access=create.access,
        options=dict(create.options),
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
            REQUIREMENTS, requirements.generate(files.texts[wanted.file], version, wanted.install_from, sealed=sealed)
        )
        if wanted is not None
        else None,
        plugins=_key(PLUGINS, files.archives[create.plugins]) if create.plugins is not None else None,
        startup_script=_text_file(STARTUP, files.texts[create.startup_script])
        if create.startup_script is not None
        else None,
    )


def warnings(create: CreateAirflow, made: Airflow, dags: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What works, and may not be meant: the text, and the key of `airflow.create` that it is about.

    Args:
        dags: how many DAGs the plan has.
    """
    size = CLASSES[made.environment_class]
    if dags > size.dags:
        yield f"{dags} DAGs, and {made.environment_class} is made for up to {size.dags}", ("class",)
    if made.max_workers > WORKERS_QUOTA:
        yield f"{made.max_workers} workers need a raised quota: an account has {WORKERS_QUOTA}", ("workers",)
    wanted = create.requirements
    if wanted is not None and wanted.install_from == "index" and made.access == "private":
        # MWAA user guide, "Installing Python dependencies", prerequisites: access.
        yield (
            "the web server of a private environment reaches no package index and starts without these packages: "
            "use install_from: plugins where it needs them",
            ("requirements",),
        )
    if made.endpoint_management == "customer":
        # API, EndpointManagement.
        yield (
            "MWAA waits in PENDING until you have made the VPC endpoints that `aws mwaa get-environment` names "
            "(DatabaseVpcEndpointService, WebserverVpcEndpointService); after 72 hours it fails",
            ("endpoint_management",),
        )


def files(whole: Plan, project: Project) -> dict[str, bytes]:
    """The environment's files: key in the DAG bucket → content. None, where the plan creates no environment.

    Raises:
        PenstockError: the project is not the one that the plan was made of: its plugins differ.
    """
    made = whole.airflow
    if not isinstance(made, Airflow):
        return {}
    found = {one.key: one.text.encode() for one in (made.requirements, made.startup_script) if one is not None}
    if made.plugins is not None:
        archives = {_key(PLUGINS, content): content for content in project.mwaa_files.archives.values()}
        if made.plugins not in archives:
            raise PenstockError("the plugins are not those of the plan", fix="compile the project again")
        found[made.plugins] = archives[made.plugins]
    return found


def write(files: Mapping[str, bytes], folder: Path) -> Path | None:
    """Write the files below a folder, by key; None: there are none."""
    for key, content in files.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
    return folder if files else None


def _text_file(pattern: str, text: str) -> AirflowFile:
    return AirflowFile(_key(pattern, text.encode()), text)


def _key(pattern: str, content: bytes) -> str:
    return pattern.format(hashlib.sha256(content).hexdigest())
