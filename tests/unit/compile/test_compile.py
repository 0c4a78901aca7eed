"""Project → plan: what is filled, what is shared, what stays the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from penstock.compile.compiler import compile_plan
from penstock_runtime.contract import SERVER_VARIABLE
from penstock_runtime.errors import InputError, InputErrors
from penstock_runtime.plan.plan import Config, Plan
from penstock_runtime.plan.schedule import FargateTask
from tests.unit.project_files import MELTANO, WORKFLOW, loaded

CATALOGUE = "      - name: catalogue\n"
LOAD = "- {name: load, "
NO_SERVER = ("  server: https://catalog.acme.io/api\n", "")


def _plan(folder: Path, *edits: tuple[str, str], **files: str) -> Plan:
    return compile_plan(loaded(folder, *edits, files={name.replace("_", "."): text for name, text in files.items()}))


def _task(plan: Plan, name: str) -> FargateTask:
    return next(task for schedule in plan.schedules for task in schedule.tasks if task.name == name)


def _config(plan: Plan) -> dict[str, dict[str, object]]:
    (config,) = plan.configs
    found: dict[str, dict[str, object]] = yaml.safe_load(config.text)
    return found


def test_plan_names_the_environment_everywhere(tmp_path: Path) -> None:
    """Project and environment are in every name that an account or a bucket shares."""
    plan = compile_plan(loaded(tmp_path), "prod")

    assert (plan.prefix, plan.cluster, plan.airflow.name) == ("acme-prod", "acme-prod", "acme-prod")
    assert plan.log_group == "/penstock/acme-prod"
    assert all(definition.family.startswith("acme-prod-") for definition in plan.task_definitions)


def test_list_of_tasks_is_a_chain_and_after_makes_it_a_graph(tmp_path: Path) -> None:
    """By default each task waits for the one before it; `after: []` waits for none."""
    plan = _plan(tmp_path, (CATALOGUE, "      - {name: x, command: ls, after: []}\n" + CATALOGUE))

    assert {task.name: task.after for task in plan.schedules[0].tasks} == {
        "load": (),
        "x": (),
        "catalogue": ("x",),
    }


def test_task_takes_its_own_settings_then_the_defaults_then_ours(tmp_path: Path) -> None:
    """Each setting by itself; false and zero count as said."""
    plan = _plan(
        tmp_path,
        ("task: {cpu_units: 512,", "task: {spot: true, cpu_units: 512,"),
        (LOAD, LOAD + "spot: false, memory_mib: 2048, "),
    )
    load, catalogue = _task(plan, "load"), _task(plan, "catalogue")

    assert (load.spot, load.cpu_units, load.memory_mib, load.timeout_minutes) == (False, 512, 2048, 60)
    assert (catalogue.spot, catalogue.cpu_units, catalogue.memory_mib) == (True, 512, 1024)


def test_schedule_takes_its_own_settings_then_the_defaults_then_ours(tmp_path: Path) -> None:
    """As tasks do."""
    plan = _plan(
        tmp_path,
        ("defaults:\n", "defaults:\n  schedule: {owner: data, retries: 3, tags: [a]}\n"),
        ("    job: warehouse\n", "    job: warehouse\n    retries: 0\n"),
    )
    (schedule,) = plan.schedules

    assert (schedule.owner, schedule.retries, schedule.tags, schedule.catchup) == ("data", 0, ("a",), False)
    assert (schedule.retry_delay_seconds, schedule.start_date) == (300, "2024-01-01")


@pytest.mark.parametrize(
    ("interval", "cron"), [('"@hourly"', "0 * * * *"), ('"@manual"', None), ('"5  4 * *  1"', "5 4 * * 1")]
)
def test_interval_becomes_cron(tmp_path: Path, interval: str, cron: str | None) -> None:
    """Presets are written out; by hand has no cron at all."""
    assert _plan(tmp_path, ('"0 3 * * *"', interval)).schedules[0].cron == cron


@pytest.mark.parametrize(
    ("interval", "minutes", "words"),
    [
        ("every 90 minutes", 90, "every 90 minutes"),
        ("Every  2 hours", 120, "every 2 hours"),
        ("every day", 1440, "every day"),
        ("every 14 days", 20160, "every 2 weeks"),
    ],
)
def test_interval_of_so_many_minutes(tmp_path: Path, interval: str, minutes: int, words: str) -> None:
    """Airflow's `timedelta`: no cron, and watched for being overdue as one with a cron is."""
    (schedule,) = _plan(tmp_path, ('"0 3 * * *"', interval)).schedules

    assert (schedule.cron, schedule.every_minutes, schedule.interval) == (None, minutes, words)
    assert schedule.overdue_after_minutes is not None
    assert schedule.overdue_after_minutes > minutes


@pytest.mark.parametrize(
    ("default", "own", "seconds"),
    [
        ("retry_delay_minutes: 2", "", 120),
        ("retry_delay_minutes: 2", "retry_delay_seconds: 20", 20),
        ("retry_delay_seconds: 20", "retry_delay_minutes: 0", 0),
        ("retry_delay_seconds: 45", "", 45),
    ],
)
def test_delay_between_tries_in_either_unit(tmp_path: Path, default: str, own: str, seconds: int) -> None:
    """A schedule's own wins over the default, whichever of the two units each is in."""
    plan = _plan(
        tmp_path,
        ("defaults:\n", f"defaults:\n  schedule: {{{default}}}\n"),
        ("    job: warehouse\n", f"    job: warehouse\n    {own}\n"),
    )

    assert plan.schedules[0].retry_delay_seconds == seconds


def test_schedule_carries_its_own_text(tmp_path: Path) -> None:
    """It becomes the DAG's documentation."""
    assert _plan(tmp_path).schedules[0].source == (
        'name: daily\njob: warehouse\ninterval: "0 3 * * *"\ntimezone: Europe/Berlin\n'
    )


def test_config_is_the_users_file_completed(tmp_path: Path) -> None:
    """The file's own values stay, in their order; the server, the token and the pipeline are filled in."""
    config = _config(_plan(tmp_path))

    assert list(config)[:2] == ["source", "sink"]
    assert config["source"] == yaml.safe_load(WORKFLOW)["source"]
    assert config["workflowConfig"] == {
        "openMetadataServerConfig": {
            "hostPort": "https://catalog.acme.io/api",
            "authProvider": "openmetadata",
            "securityConfig": {"jwtToken": "${OM_JWT}"},
            "storeServiceConnection": False,
        }
    }
    assert config["ingestionPipelineFQN"] == "warehouse.acme-dev-warehouse-catalogue"


def test_what_the_file_says_wins(tmp_path: Path) -> None:
    """Whoever writes a server, another way to sign in, a stored connection or a pipeline means it."""
    server = {"hostPort": "https://other/api", "authProvider": "google", "storeServiceConnection": True}
    server["securityConfig"] = {"jwtToken": "${OM_JWT}"}
    text = WORKFLOW + f"workflowConfig: {{openMetadataServerConfig: {server}}}\ningestionPipelineFQN: a.b\n"
    config = _config(_plan(tmp_path, warehouse_yaml=text))

    assert config["workflowConfig"] == {"openMetadataServerConfig": server}
    assert config["ingestionPipelineFQN"] == "a.b"


PROVIDERS = ("basic", "azure", "google", "okta", "auth0", "aws-cognito", "custom-oidc", "ldap", "saml", "openmetadata")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_security_provider_goes_through(tmp_path: Path, provider: str) -> None:
    """With all keys of its own, and the settings of TLS; the package signs in by the token whatever the provider is."""
    security = {"clientId": "c", "secretKey": "${PASSWORD}", "scopes": ["a/.default"], "jwtToken": "${OM_JWT}"}
    server = {
        "authProvider": provider,
        "securityConfig": security,
        "verifySSL": "validate",
        "sslConfig": {"caCertificate": "/tmp/ca.pem"},
    }
    entry = "openmetadata: {type: metadata, config: warehouse.yaml}"
    files = (entry, f"{entry}\n        files: {{/tmp/ca.pem: {{secret: PASSWORD}}}}")
    text = WORKFLOW + f"workflowConfig: {{openMetadataServerConfig: {server}}}\n"
    own = _config(_plan(tmp_path / "own", files, warehouse_yaml=text))["workflowConfig"]["openMetadataServerConfig"]
    text = WORKFLOW + f"workflowConfig: {{openMetadataServerConfig: {{authProvider: {provider}}}}}\n"
    filled = _config(_plan(tmp_path / "filled", warehouse_yaml=text))["workflowConfig"]["openMetadataServerConfig"]

    assert {key: own[key] for key in server} == server
    assert (filled["authProvider"], filled["securityConfig"]) == (provider, {"jwtToken": "${OM_JWT}"})


def test_a_stored_connection_is_not_touched(tmp_path: Path) -> None:
    """A workflow that takes its connection from the server says nothing about storing one."""
    text = re.sub(r"  serviceConnection:.*\n(?:    .*\n)*", "", WORKFLOW)
    config = _config(_plan(tmp_path, warehouse_yaml=text))

    assert "serviceConnection" not in config["source"]
    assert "storeServiceConnection" not in config["workflowConfig"]["openMetadataServerConfig"]


def test_values_of_a_config_mean_the_same_after_writing(tmp_path: Path) -> None:
    """What looks like another type in YAML 1.1 keeps its own."""
    odd = "x: {a: '5', b: 010, c: '1:30', d: 'yes', e: ~, f: 'ä \"b\"', g: '${HOST}', h: 2024-01-31, i: '', j: 1.0}\n"
    config = _config(_plan(tmp_path, warehouse_yaml=WORKFLOW + odd))

    assert config["x"] == yaml.safe_load(odd)["x"]


def test_task_gets_exactly_what_its_files_name(tmp_path: Path) -> None:
    """Variables by value, secrets through the task definition; nothing of another task's."""
    plan = _plan(tmp_path, ("{HOST: dev.acme.internal}", "{HOST: dev.acme.internal, UNUSED: x}"))
    task = _task(plan, "catalogue")
    definition = next(definition for definition in plan.task_definitions if definition.family == task.family)

    assert task.names == ("HOST", "OM_JWT", "PASSWORD")
    assert task.environment == {"HOST": "dev.acme.internal"}
    assert [secret.name for secret in definition.secrets] == ["OM_JWT", "PASSWORD"]


def test_secrets_are_references(tmp_path: Path) -> None:
    """A JSON field, an ARN, a parameter: each as ECS tells them apart."""
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-AbCdEf"
    plan = _plan(
        tmp_path, ("secretsmanager:openmetadata", f'"{arn}#token"'), ("secretsmanager:warehouse#password", "ssm:/db/pw")
    )
    secrets = {
        secret.name: (secret.store, secret.id, secret.key) for d in plan.task_definitions for secret in d.secrets
    }

    assert secrets == {"OM_JWT": ("secretsmanager", arn, "token"), "PASSWORD": ("ssm", "/db/pw", None)}


@pytest.mark.parametrize("name", ["token", "/token", "a/b", "/a" * 15, "/aws/service/x", "sso.token", "/a/aws"])
def test_parameter_that_can_exist(tmp_path: Path, name: str) -> None:
    """SSM has 15 levels, and parameters of AWS's own below /aws/."""
    plan = _plan(tmp_path, ("secretsmanager:openmetadata", f"ssm:{name}"))

    assert name in {secret.id for d in plan.task_definitions for secret in d.secrets}


@pytest.mark.parametrize(
    ("server", "warned"),
    [
        ("https://x.io/api", False),
        ("https://x.io:8585/om/api", False),
        ("https://[2001:db8::1]:8585/api", False),
        ("https://${HOST}/api", False),
        ("https://x.io:${PASSWORD}/api", False),
        ("https://x.io", True),
        ("https://x.io/api/", True),
        ("https://x.io/${HOST}", True),
    ],
)
def test_server_without_api_is_warned_of(tmp_path: Path, server: str, warned: bool) -> None:
    """The client takes the address unchanged; where a proxy has it elsewhere, the user knows better."""
    plan = _plan(tmp_path, ("https://catalog.acme.io/api", server))

    assert [warning.split(": ")[0] for warning in plan.warnings] == ["penstock.yaml:8:11"] * warned
    assert all("does not end in /api" in warning for warning in plan.warnings)


def test_extra_secrets_and_env_of_a_task(tmp_path: Path) -> None:
    """`secrets` adds, `env` sets; a schedule's env wins over a task's, and a task's over a variable."""
    edits = [
        (LOAD, LOAD + 'secrets: [OM_JWT], env: {A: "${HOST}:1", B: task, HOST: own}, '),
        ("    job: warehouse\n", "    job: warehouse\n    env: {B: schedule}\n"),
    ]
    plan = compile_plan(loaded(tmp_path, *edits, files={"meltano/meltano.yml": MELTANO + "x: $HOST\n"}))
    task = _task(plan, "load")

    assert task.environment == {
        "A": "dev.acme.internal:1",
        "B": "schedule",
        "HOST": "own",
        "MELTANO_ENVIRONMENT": "prod",
    }
    assert ["OM_JWT", "PASSWORD"] in [
        [s.name for s in d.secrets] for d in plan.task_definitions if d.family == task.family
    ]


def test_command_has_its_variables_filled_and_its_secrets_as_environment(tmp_path: Path) -> None:
    """A value that is secret is in no command line; a shell in the container finds it in its environment."""
    command = '      - {name: x, command: [sh, -c, "load ${HOST} ${PASSWORD} ${unknown}"]}\n'
    plan = _plan(tmp_path, (CATALOGUE, command + CATALOGUE))
    task = _task(plan, "x")

    assert task.command == ("sh", "-c", "load dev.acme.internal ${PASSWORD} ${unknown}")
    assert task.names == ("HOST", "PASSWORD")


def test_given_variables_win(tmp_path: Path) -> None:
    """The embedded mode puts its own warehouse in the place of the project's."""
    plan = compile_plan(loaded(tmp_path), variables={"HOST": "127.0.0.1"})

    assert _task(plan, "catalogue").environment == {"HOST": "127.0.0.1"}


def test_given_variables_are_no_way_round_what_a_permission_may_ask_for(tmp_path: Path) -> None:
    """The project's value names one role; another one would name all, and the load has not seen it."""
    role = "arn:aws:iam::111122223333:role/${HOST}"
    edit = (LOAD, f"{LOAD}permissions: [{{actions: ['iam:PassRole'], resources: ['{role}']}}], ")
    project = loaded(tmp_path, edit)

    with pytest.raises(InputErrors) as caught:
        compile_plan(project, variables={"HOST": "*"})

    (error,) = caught.value.errors
    assert error.where.endswith("penstock.yaml:21:9")
    assert "iam actions on any resource" in error.what
    assert compile_plan(project, variables={"HOST": "other"}).task_definitions


def test_given_variable_that_the_project_does_not_know_is_an_error(tmp_path: Path) -> None:
    """It would have no effect."""
    with pytest.raises(InputError, match="no variable 'HOTS'") as caught:
        compile_plan(loaded(tmp_path), variables={"HOTS": "x"})
    assert caught.value.fix == "did you mean 'HOST'?"


def test_server_that_nobody_names_is_left_to_the_run_with_a_warning(tmp_path: Path) -> None:
    """Validation and synthesis go on; the warning has file and line, and no path of the machine."""
    plan = _plan(tmp_path, NO_SERVER)

    assert SERVER_VARIABLE in _task(plan, "catalogue").names
    assert f"${{{SERVER_VARIABLE}}}" in plan.configs[0].text
    (warning,) = plan.warnings
    assert warning.startswith("penstock.yaml:8:3: environment 'dev' names no OpenMetadata server")


def test_given_server_fills_what_is_left_to_the_run(tmp_path: Path) -> None:
    """As the embedded mode gives its recording catalogue; also over a server that the project names."""
    given = {SERVER_VARIABLE: "http://127.0.0.1:1/api"}
    for folder, edits in ((tmp_path / "a", [NO_SERVER]), (tmp_path / "b", [])):
        plan = compile_plan(loaded(folder, *edits), variables=given)
        assert _task(plan, "catalogue").environment[SERVER_VARIABLE] == given[SERVER_VARIABLE]
        assert plan.warnings == ()


def test_versions_that_are_not_in_the_tables_are_warned_about(tmp_path: Path) -> None:
    """A newer version may well work."""
    plan = _plan(tmp_path, ("version: 3.0.6", "version: 9.9.9"), ("1.12.14", "7.0.0"))

    assert [warning.split(":")[:2] for warning in plan.warnings] == [["penstock.yaml", "6"], ["penstock.yaml", "9"]]


def test_environment_that_leaves_no_room_in_overrides_is_an_error(tmp_path: Path) -> None:
    """RunTask takes 8192 characters in all; found out here, with the task's line, not in the night."""
    with pytest.raises(InputError, match="leaves room for") as caught:
        _plan(tmp_path, (LOAD, LOAD + f"env: {{X: {'y' * 4000}, Y: {'y' * 4000}}}, "))
    assert caught.value.where.endswith("penstock.yaml:21:9")


def test_prefix_goes_before_dag_ids(tmp_path: Path) -> None:
    """Where several environments share one Airflow."""
    plan = _plan(tmp_path, ("airflow: {create", "airflow: {dag_prefix: dev., create"))

    assert [schedule.dag_id for schedule in plan.schedules] == ["dev.daily"]
    assert [schedule.name for schedule in plan.schedules] == ["daily"]


def test_network_that_exists(tmp_path: Path) -> None:
    """Its ids go through; nothing is created."""
    subnets = "private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]"
    use = f"{{use: {{vpc: vpc-0a1b2c3d, {subnets}, security_groups: [sg-0a1b2c3d]}}}}"
    network = _plan(tmp_path, ("{create: {cidr: 10.20.0.0/16}}", use)).network

    assert (network.cidr, network.vpc, network.private_subnets) == (
        None,
        "vpc-0a1b2c3d",
        ("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
    )


def test_plan_is_the_same_bytes_in_another_process_and_place(tmp_path: Path) -> None:
    """No time, no path, no order of a set: `penstock diff` and content hashes rest on it."""
    program = (
        "import sys, pathlib; from penstock.project.load import load;"
        "from penstock.compile.compiler import compile_plan;"
        "sys.stdout.write(compile_plan(load(pathlib.Path(sys.argv[1]))).to_json())"
    )
    root = Path(__file__).resolve().parents[3]
    texts = {compile_plan(loaded(tmp_path / "here")).to_json()}
    loaded(tmp_path / "elsewhere" / "deep")
    for seed in ("1", "2"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "runtime")]),
        }
        command = [sys.executable, "-c", program, str(tmp_path / "elsewhere" / "deep" / "penstock.yaml")]
        texts.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    assert len(texts) == 1
    assert Plan.from_json(texts.pop()).configs[0] == Config(*_pair(tmp_path))


def _pair(folder: Path) -> tuple[str, str]:
    (config,) = compile_plan(loaded(folder / "again")).configs
    return config.sha256, config.text
