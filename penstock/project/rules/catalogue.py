"""`airflow.catalogue`: that there is an MWAA environment to read, a server to tell, and a way between the two."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.airflow import catalogue
from penstock.project.airflow.catalogue import JOB, Catalogue
from penstock.project.jobs import interval
from penstock.project.settings import Settings
from penstock.versions.number import parse
from penstock_runtime.errors import InputError

HERE = ("airflow", "catalogue")
DATABASE_NAMES = "AIRFLOW_DATABASE_"
"""What the secrets of `way: database` begin with."""


def check_catalogue(settings: Settings) -> Iterator[Problem]:
    """What keeps the option from working."""
    asked = catalogue.settings_of(settings.airflow.catalogue)
    if asked is None:
        return
    if settings.airflow.self_managed is not None:
        what = "catalogue reads an MWAA environment, and this Airflow is not one"
        fix = "leave it out, and write a workflow file with a RestAPI or Backend connection instead"
        yield Problem(what, fix, HERE, at_key=True)
        return
    if settings.openmetadata is None:
        yield Problem(
            "catalogue needs an OpenMetadata server", "add openmetadata: {server: …, version: …}", HERE, at_key=True
        )
        return
    yield from _check_names(settings)
    yield from _check_interval(asked)
    if settings.airflow.use is not None and asked.url is None:
        fix = "write catalogue: {url: https://…}, with the WebserverUrl of aws mwaa get-environment"
        yield Problem("catalogue needs the address of Airflow's page, which OpenMetadata links to", fix, HERE)
    chosen = settings.airflow.create or settings.airflow.use
    versions = (settings.openmetadata.version, chosen.version if chosen is not None else "")
    if all(parse(version) for version in versions):
        choice = catalogue.choose(*versions, wanted=asked.way)
        if isinstance(choice, Problem):
            yield choice


def _check_names(settings: Settings) -> Iterator[Problem]:
    if JOB in settings.jobs:
        yield Problem(f"airflow.catalogue adds a job {JOB!r} itself", "rename this one", ("jobs", JOB), at_key=True)
    for kind in ("secrets", "variables"):
        for name in getattr(settings, kind):
            if name.startswith(DATABASE_NAMES):
                what = f"airflow.catalogue gives its task variables that begin with {DATABASE_NAMES}"
                yield Problem(what, f"rename {name[:60]}", (kind, name), at_key=True)


def _check_interval(asked: Catalogue) -> Iterator[Problem]:
    for key in ("interval", "discovery_interval"):
        try:
            _, every_minutes = interval.read(getattr(asked, key), "")
        except InputError as error:
            yield Problem(error.what, error.fix, (*HERE, key))
            continue
        if key == "discovery_interval" and every_minutes is not None:
            what = f"the DAG that finds the database cannot run {asked.discovery_interval}"
            yield Problem(what, 'write a cron expression, such as "0 3 * * *"', (*HERE, key))
