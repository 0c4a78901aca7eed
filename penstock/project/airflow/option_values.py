"""Values of Airflow's options that Airflow cannot use: it does not start, or takes the option for nothing."""

from __future__ import annotations

import json
import re

from penstock.problem import Problem
from penstock.project.document.problems import nearest, shown
from penstock.versions import airflow_options

CLASS_PATHS = frozenset(
    {
        "core.asset_manager_class",
        "core.dataset_manager_class",
        "core.hostname_callable",
        "core.xcom_backend",
        "database.sql_alchemy_connect_args",
        "database.sql_alchemy_session_maker",
        "email.email_backend",
        "lineage.backend",
        "logging.interleave_timestamp_parser",
        "logging.secret_mask_adapter",
        "metrics.stat_name_handler",
        "metrics.statsd_custom_client_path",
        "scheduler.dependency_detector",
        "secrets.backend",
        "sentry.before_send",
        "sentry.transport",
        "state_store.backend",
        "workers.secrets_backend",
    }
)
"""Options that name something to import: Airflow's `conf.getimport`, 2.9.2 to 3.3.1."""
_CLASS_LISTS = frozenset({"api.auth_backends", "fab.auth_backends"})
"""The same, a list of modules."""
_BACKEND_ARGUMENTS = frozenset({"secrets.backend_kwargs", "workers.secrets_backend_kwargs"})
_BOOLEANS = frozenset({"t", "true", "1", "f", "false", "0"})
"""Airflow, `AirflowConfigParser.getboolean`, in any case."""
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_PROVIDERS = "airflow.providers."
_AMAZON_SECRETS = "airflow.providers.amazon.aws.secrets."
BACKEND_CLASSES = (
    f"{_AMAZON_SECRETS}secrets_manager.SecretsManagerBackend",
    f"{_AMAZON_SECRETS}systems_manager.SystemsManagerParameterStoreBackend",
)
"""The amazon provider's, 8.24 to 9.34."""


def problem(option: str, value: str, airflow_version: str) -> Problem | None:
    """What is wrong with an option's value, and the fix; None: nothing that is known."""
    if option in CLASS_PATHS:
        return _class_problem(option, value.strip(), airflow_version, list_of="")
    if option in _CLASS_LISTS:
        problems = (_class_problem(option, path.strip(), airflow_version, list_of=value) for path in value.split(","))
        return next((problem for problem in problems if problem is not None), None)
    if option in _BACKEND_ARGUMENTS and not _is_mapping(value):
        # Airflow logs a warning, and goes on without (`get_custom_secret_backend`).
        what = f"{shown(value)} of {option} is not a mapping in JSON, and Airflow goes on without it"
        return Problem(what, """write it in single quotes: '{"connections_prefix": "airflow/connections"}'""")
    return _plain_problem(option, value)


def class_paths(option: str, value: str) -> list[str]:
    """What an option names to import."""
    if option in CLASS_PATHS:
        return [value.strip()]
    return [path.strip() for path in value.split(",")] if option in _CLASS_LISTS else []


def _is_mapping(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _plain_problem(option: str, value: str) -> Problem | None:
    kind = airflow_options.kind(option)
    text = value.partition("#")[0].strip()
    if kind == "boolean" and text.lower() not in _BOOLEANS:
        return Problem(f"Airflow reads {shown(value)} of {option} as neither true nor false", 'write "True" or "False"')
    if kind in ("integer", "float"):
        try:
            (int if kind == "integer" else float)(text)
        except ValueError:
            words = "a whole number" if kind == "integer" else "a number"
            return Problem(f"{shown(value)} of {option} is not {words}, and Airflow reads one there", f"write {words}")
    return None


def _class_problem(option: str, path: str, airflow_version: str, *, list_of: str) -> Problem | None:
    if not _DOTTED.fullmatch(path):
        return Problem(f"{shown(path)} of {option} is not the path of something to import", "write package.module.Name")
    if path.startswith(_AMAZON_SECRETS) and path not in BACKEND_CLASSES and "secret" in option:
        return Problem(f"the amazon provider has no {path}", nearest(path, BACKEND_CLASSES, kind="backend"))
    if not path.startswith("airflow.") or path.startswith(_PROVIDERS):
        return None
    if airflow_options.has_module(path if list_of else path.rpartition(".")[0], airflow_version):
        return None
    module = ".".join(path.split(".")[: 3 if airflow_options.has_module(path.split(".")[1], airflow_version) else 2])
    return Problem(
        f"Airflow {airflow_version} has no {module}, and does not start where {option} names it", _instead(path)
    )


def _instead(path: str) -> str:
    """The backend of today, for one that Airflow 1 had: `airflow.contrib.secrets.aws_secrets_manager`."""
    if "secrets_manager" in path or "SecretsManager" in path:
        return f"write {BACKEND_CLASSES[0]}"
    if "systems_manager" in path or "ParameterStore" in path:
        return f"write {BACKEND_CLASSES[1]}"
    return "name what it is called today, or remove the option"
