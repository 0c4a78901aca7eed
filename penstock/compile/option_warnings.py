"""Options of Airflow that are set and do nothing: gone, renamed, unknown, or MWAA's own; and backends not installed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from penstock.aws.mwaa import FIXED_OPTIONS
from penstock.project.airflow import option_values
from penstock.versions import airflow_options
from penstock.versions.number import parse

Found = tuple[str, str]
"""What to tell, and the option that it is about."""

_SECTION_ALIKE = 0.85
_PROVIDER_SECTIONS = frozenset(
    {"aws", "celery", "celery_broker_transport_options", "elasticsearch", "fab", "imap", "kubernetes", "openlineage"}
)
"""Those that resemble a section of Airflow's own, or might."""
_IN_THE_IMAGE = frozenset(
    {"amazon", "celery", "common", "fab", "ftp", "http", "imap", "postgres", "smtp", "sqlite", "standard"}
)
"""Providers of MWAA's image: aws/amazon-mwaa-docker-images, `Python-Packages-BOM.txt`; ftp, imap and sqlite up to 2.11,
standard from 3.0 on."""


def warnings(options: Mapping[str, str], airflow_version: str, requirements: str) -> Iterator[Found]:
    """What is set without effect.

    Args:
        options: checked.
        requirements: the text of the requirements file; empty: there is none.
    """
    for option, value in options.items():
        section = option.partition(".")[0]
        if option in FIXED_OPTIONS:
            yield f"MWAA sets {option} to {FIXED_OPTIONS[option]} itself: remove it", option
        elif not airflow_options.is_own(section):
            if slip := _meant(section):
                yield f"no Airflow has a section {section}: did you mean {slip}?", option
        elif not airflow_options.exists(option, airflow_version):
            yield _unknown(option, airflow_version), option
        for path in option_values.class_paths(option, value):
            if provider := _missing_provider(path, requirements):
                package = f"apache-airflow-providers-{provider}"
                yield f"MWAA's image has no {package}, which {option} needs: add it to the requirements", option


def _meant(section: str) -> str | None:
    if section in _PROVIDER_SECTIONS:
        return None
    known = sorted(airflow_options.sections())
    return next(iter(difflib.get_close_matches(section, known, n=1, cutoff=_SECTION_ALIKE)), None)


def _unknown(option: str, airflow_version: str) -> str:
    """What to say about an option that a version does not have."""
    if new := airflow_options.new_name(option, airflow_version):
        if airflow_options.is_still_read(option, airflow_version):
            return f"Airflow {airflow_version} calls {option} {new}, and reads the old name for now: write {new}"
        return f"Airflow {airflow_version} does not read {option}: it is called {new} there; write that"
    span = airflow_options.versions_with(option)
    if span is not None:
        is_newer = (parse(span[0]) or ()) > (parse(airflow_version) or ())
        when = f"the first that has it is {span[0]}" if is_newer else f"the last that has it is {span[1]}"
        return f"Airflow {airflow_version} has no option {option} ({when} of those that MWAA offers): remove it"
    meant = airflow_options.nearest(option, airflow_version)
    advice = f"did you mean {meant}?" if meant else "remove it"
    return f"Airflow {airflow_version} has no option {option}: {advice}"


def _missing_provider(path: str, requirements: str) -> str | None:
    """The provider of a class that neither the image nor the requirements have; None: there is none to miss."""
    provider = re.match(r"airflow\.providers\.([a-z0-9_]+)\.([a-z0-9_]+)", path)
    if provider is None or provider[1] in _IN_THE_IMAGE:
        return None
    either = f"{provider[1]}-{provider[2]}" if provider[1] in ("apache", "cncf", "microsoft") else provider[1]
    return None if f"providers-{either}" in requirements.lower().replace("_", "-") else either
