"""Options that the environment's Airflow does not have, cannot read, or never gets; backends that are not there."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from penstock.aws.mwaa import FIXED_OPTIONS
from penstock.compile.compiler import compile_plan
from penstock.project.airflow import plugins
from penstock.project.airflow.option_values import BACKEND_CLASSES, CLASS_PATHS
from penstock.versions import airflow_options
from penstock.versions.airflow import AIRFLOW
from tests.unit.project_files import errors, loaded, write

CREATE = "version: 3.0.6, class: mw1.small"
ONE = ("  prod: {region: eu-central-1, variables: {HOST: prod.acme.internal}}\n", "")


def warned(folder: Path, option: str, value: str, version: str = "3.0.6", more: str = "") -> list[str]:
    """What compiling says of one option; its place is that of its value."""
    written = f"version: {version}, class: mw1.small, options: {{{option}: '{value}'}}{more}"
    project = loaded(folder, (CREATE, written), files={"r.txt": "apache-airflow-providers-hashicorp\n"})
    warnings = [text.partition(": ") for text in compile_plan(project, "dev").warnings]
    column = len("airflow: {create: {") + written.index("'") + 1
    assert all(place == f"penstock.yaml:6:{column}" for place, _, _ in warnings)
    return [text for _, _, text in warnings]


VAIN = {
    # name: (option, value, Airflow, what is told)
    "gone": (
        "webserver.dag_default_view", "tree", "3.0.6",
        "Airflow 3.0.6 has no option webserver.dag_default_view (the last that has it is 2.11.0 of those that MWAA "
        "offers): remove it",
    ),
    "to come": (
        "state_store.default_retention_days", "3", "3.0.6",
        "Airflow 3.0.6 has no option state_store.default_retention_days (the first that has it is 3.3.1 of those that "
        "MWAA offers): remove it",
    ),
    "renamed, and read": (
        "webserver.expose_config", "True", "3.0.6",
        "Airflow 3.0.6 calls webserver.expose_config api.expose_config, and reads the old name for now: "
        "write api.expose_config",
    ),
    "renamed": (
        "core.dag_concurrency", "4", "3.0.6",
        "Airflow 3.0.6 does not read core.dag_concurrency: it is called core.max_active_tasks_per_dag there; "
        "write that",
    ),
    "misspelt": (
        "core.paralelism", "4", "2.10.3", "Airflow 2.10.3 has no option core.paralelism: did you mean core.parallelism?"
    ),
    "a section that is misspelt": (
        "schedular.max_tis_per_query", "4", "2.10.3", "no Airflow has a section schedular: did you mean scheduler?"
    ),
    "MWAA's own": ("core.load_examples", "false", "2.10.3", "MWAA sets core.load_examples to False itself: remove it"),
    "a provider that is not there": (
        "secrets.backend", "airflow.providers.hashicorp.secrets.vault.VaultBackend", "2.10.3",
        "MWAA's image has no apache-airflow-providers-hashicorp, which secrets.backend needs: "
        "add it to the requirements",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("option", "value", "version", "what"), VAIN.values(), ids=VAIN)
def test_option_that_is_set_in_vain(tmp_path: Path, option: str, value: str, version: str, what: str) -> None:
    """A warning: the environment works, and nobody would notice that the option does nothing."""
    assert warned(tmp_path, option, value, version) == [what]


@pytest.mark.parametrize(
    ("option", "value", "version"),
    [
        ("core.parallelism", "40", "2.9.2"),
        ("api.expose_config", "True", "3.0.6"),
        ("webserver.expose_config", "True", "2.11.0"),
        ("core.hostname_callable", "airflow.utils.net.get_host_ip_address", "2.10.3"),
        ("sentry.sentry_dsn_secret", "dsn", "3.0.6"),
        ("celery.worker_autoscale", "5,5", "3.0.6"),
        ("aws.session_factory", "acme.aws.Session", "2.10.3"),
        ("acme.anything", "x", "3.0.6"),
        ("metrics.metrics_allow_list", "dag", "2.10.3"),
        ("dag_processor.refresh_interval", "60", "3.1.8"),
    ],
)
def test_option_that_does_something(tmp_path: Path, option: str, value: str, version: str) -> None:
    """Of this version, of providers, of the user's own; a version between two has what either has."""
    warnings = warned(tmp_path, option, value, version) if version in AIRFLOW else []

    assert warnings == []
    assert airflow_options.exists(option, version) or not airflow_options.is_own(option.partition(".")[0])


def test_a_provider_that_the_requirements_install(tmp_path: Path) -> None:
    """Then its backend is there."""
    vault = "airflow.providers.hashicorp.secrets.vault.VaultBackend"
    more = ", access: public, requirements: {file: r.txt}"

    assert warned(tmp_path, "secrets.backend", vault, "2.10.3", more) == []


BAD = {
    # name: (option, value, Airflow, part of what, part of fix)
    "a backend of Airflow 1": (
        "secrets.backend", "airflow.contrib.secrets.aws_secrets_manager.SecretsManagerBackend", "3.0.6",
        "Airflow 3.0.6 has no airflow.contrib, and does not start where secrets.backend names it",
        f"write {BACKEND_CLASSES[0]}",
    ),
    "one of parameters": (
        "secrets.backend", "airflow.contrib.secrets.aws_systems_manager.SystemsManagerParameterStoreBackend", "3.2.1",
        "has no airflow.contrib", f"write {BACKEND_CLASSES[1]}",
    ),
    "a misspelt backend": (
        "secrets.backend", BACKEND_CLASSES[0].replace("Backend", "Backed"), "2.10.3", "the amazon provider has no",
        f"did you mean '{BACKEND_CLASSES[0][:56]}",
    ),
    "mail of a module that is gone": (
        "email.email_backend", "airflow.contrib.utils.sendgrid.send_email", "3.0.6", "no airflow.contrib", "name"
    ),
    "no path": ("secrets.backend", "SecretsManagerBackend", "3.0.6", "is not the path of something", "write package."),
    "sign-in that is gone": (
        "api.auth_backends", "airflow.api.auth.backend.session, airflow.www.x", "3.0.6", "no airflow.api, and", "name"
    ),
    "arguments that are not JSON": (
        "secrets.backend_kwargs", "{connections_prefix: x}", "3.0.6", "is not a mapping in JSON, and Airflow goes on",
        "write it in single quotes",
    ),
    "neither true nor false": ("core.dags_are_paused_at_creation", "yes", "3.0.6", "neither true nor false", '"True"'),
    "no whole number": ("core.parallelism", "4.5", "3.0.6", "is not a whole number", "write a whole number"),
    "no number": ("scheduler.scheduler_heartbeat_sec", "5s", "2.10.3", "is not a whole number", "write a whole number"),
    "MWAA's own, to something else": (
        "core.load_examples", "True", "2.10.3", "MWAA sets core.load_examples to False, over what", "remove it"
    ),
    "a metric that MWAA resets": (
        "metrics.statsd_datadog_enabled", "True", "2.10.3", "the default of metrics.statsd_datadog_enabled", "remove it"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("option", "value", "version", "what", "fix"), BAD.values(), ids=BAD)
def test_value_that_airflow_cannot_use(
    tmp_path: Path, option: str, value: str, version: str, what: str, fix: str
) -> None:
    """An error: the environment would fail after an hour, or do something else than is written."""
    written = f"version: {version}, class: mw1.small, options: {{{option}: '{value}'}}"
    ((_, said, advice),) = errors(write(tmp_path, (CREATE, written), ONE))

    assert what in said
    assert fix in advice


@pytest.mark.parametrize("value", ["True", "true", "1", "T", "f", "False # why"])
def test_words_that_airflow_reads_as_true_or_false(tmp_path: Path, value: str) -> None:
    """In any case, and with a comment behind them."""
    loaded(tmp_path, (CREATE, f"{CREATE}, options: {{core.dags_are_paused_at_creation: '{value}'}}"))


def test_tables_of_options() -> None:
    """Every version has its own; what names a class does so in a version that MWAA offers."""
    for version in AIRFLOW:
        assert airflow_options.exists("core.parallelism", version)
        assert airflow_options.has_module("airflow.utils.email", version) or version == "3.3.1"
    known = {option for option in CLASS_PATHS if airflow_options.versions_with(option)}
    assert known == CLASS_PATHS
    assert not airflow_options.exists("core.enable_xcom_pickling", "3.0.6")
    assert airflow_options.has_module("airflow.contrib", "2.10.3")
    assert all(option == option.lower() for option in FIXED_OPTIONS)


def packed(*names: str) -> bytes:
    """A zip file of these."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x = 1\n")
    return buffer.getvalue()


def test_a_zip_of_the_folder(tmp_path: Path) -> None:
    """The usual mistake: nothing can be imported from where MWAA unpacks it."""
    archive = packed("plugins/my_plugin.py", "plugins/utils/common.py", "__MACOSX/plugins/._my_plugin.py")
    project = loaded(tmp_path, (CREATE, f"{CREATE}, plugins: p.zip"), files={"p.zip": archive})
    (warning,) = compile_plan(project, "dev").warnings

    assert warning.startswith("penstock.yaml:6:63: all of plugins.zip is below plugins/")
    assert "cd plugins; zip -r ../plugins.zip ." in warning


@pytest.mark.parametrize(
    "names",
    [
        ("my_plugin.py", "utils/common.py"),
        ("acme/__init__.py", "acme/plugin.py"),
        ("wheels/a-1-py3-none-any.whl",),
        ("plugins/a.py", "README.txt"),
    ],
)
def test_a_zip_that_is_packed_rightly(names: tuple[str, ...]) -> None:
    """Its content at the top, one package, or a folder of wheels."""
    assert plugins.folder_around(packed(*names)) is None
