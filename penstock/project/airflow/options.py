"""Airflow's options on MWAA: what the service takes, and where their secrets belong.

MWAA makes environment variables of them, and everyone who may read the environment reads them there: CloudFormation's
template, MWAA's GetEnvironment. So nothing fills `${NAME}` in one. See docs/airflow-secrets.md for what does work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from penstock.aws.mwaa import FIXED_OPTIONS, MAX_OPTION_KEY, MAX_OPTION_VALUE, OPEN_METRICS, OPTION_KEY
from penstock.problem import Problem
from penstock.project.airflow import option_values
from penstock.project.document.literals import ALLOW, literal_secret, references
from penstock_runtime.secret_names import is_secret_key

HERE = ("airflow", "create")
KEY = "options"
_NAMED_ELSEWHERE = "_secret"
"""Behind an option: the value is its name in Airflow's secrets backend (Airflow, "Setting Configuration Options")."""
_SENSITIVE = frozenset({"sentry.sentry_dsn", "smtp.smtp_password"})
"""Options with such a name: `sensitive` in Airflow's `config_templates/config.yml`, 2.10.3 to 3.3.1, and free on MWAA.
Airflow 3 has no smtp_user and no smtp_password: there, only the connection is read."""


def check_options(
    options: dict[str, str], airflow_version: str, secrets: Collection[str], line: Callable[..., str]
) -> Iterator[Problem]:
    """Each option's name and value."""
    for option, value in options.items():
        path: tuple[Any, ...] = (*HERE, KEY, option)
        if not OPTION_KEY.fullmatch(option):
            yield Problem(f"{option[:60]!r} is not an option", "write section.key", path, at_key=True)
        elif len(option) > MAX_OPTION_KEY:
            what = f"{option[:60]!r}… has {len(option)} characters, and MWAA takes options of {MAX_OPTION_KEY}"
            yield Problem(what, "set it in startup_script: export AIRFLOW__SECTION__KEY=…", path, at_key=True)
        elif wrong := _set_by_mwaa(option, value):
            yield Problem(wrong, "remove it", path, at_key=True)
        elif not (value.isascii() and value.isprintable()):
            yield Problem(f"the value of {option} is not printable ASCII", "use ASCII only", path)
        elif not 0 < len(value) <= MAX_OPTION_VALUE:
            what = f"the value of {option} has {len(value)} characters, and MWAA takes 1 to {MAX_OPTION_VALUE}"
            yield Problem(what, "shorten it" if value else "give it a value, or remove it", path)
        elif names := references(value):
            what = f"nothing fills ${{{names[0][:60]}}} in the value of {option}: MWAA takes it literally"
            secret = option in _SENSITIVE or is_secret_key(option) or not set(secrets).isdisjoint(names)
            yield Problem(what, _secrets_place(option) if secret else "write the value out", path)
        elif _names_a_secret(option) or ALLOW in line(*path):
            continue
        elif literal := literal_secret(option, value):
            yield Problem(literal, f"{_secrets_place(option)}; or end the line with `{ALLOW}`", path)
        elif unread := option_values.problem(option, value, airflow_version):
            yield unread.at(*path)


def _set_by_mwaa(option: str, value: str) -> str | None:
    """What is wrong with an option that MWAA sets itself; None: nothing, or it is set to that very value."""
    if option in FIXED_OPTIONS:
        own = FIXED_OPTIONS[option]
        if own is None:
            return f"MWAA sets {option} itself, over what is written here"
        return None if value.lower() == own.lower() else f"MWAA sets {option} to {own}, over what is written here"
    if option.startswith("metrics.") and option not in OPEN_METRICS:
        return f"MWAA gives Airflow the default of {option}, over what is written here"
    return None


def _names_a_secret(option: str) -> bool:
    plain = option.removesuffix(_NAMED_ELSEWHERE)
    return plain != option and (plain in _SENSITIVE or is_secret_key(plain))


def _secrets_place(option: str) -> str:
    """Where the secret in an option belongs, for the fix."""
    section, key = option.split(".")
    if section == "smtp":
        # `email.email_conn_id`, in all versions; without it Airflow 2 falls back to the options.
        return "put login and password into connection smtp_default of Airflow's secrets backend, and remove the option"
    if option in _SENSITIVE:
        return f"put it into Airflow's secrets backend, and write {option}{_NAMED_ELSEWHERE}: <its name there>"
    variable = f"AIRFLOW__{section}__{key}".upper()
    return f"remove it, and in startup_script export {variable}, read from Secrets Manager"
