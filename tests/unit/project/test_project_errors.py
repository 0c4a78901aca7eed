"""What is wrong with a project: each mistake gives one error that says what, where and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from tests.unit.project_files import MELTANO, PROJECT, WORKFLOW, errors, write

HERE = "¦"
"""In a mistake: right behind it is where the error must point."""

DAILY = '"0 3 * * *"'
LOAD = "- {name: load, "
SERVER = "https://catalog.acme.io/api"
MISTAKES = {
    # name: (old text, new text, part of what, part of fix)
    "unknown key": ("timezone:", "¦timezon:", "unknown key 'timezon' of schedule 'daily'", "'timezone'"),
    "unknown key at the top": ("schedules:", "¦scheduls:", "unknown key 'scheduls'", "'schedules'"),
    "unknown key of a task": (LOAD, LOAD + "¦cpu: 1, ", "unknown key 'cpu' of task 'load'", "'cpu_units'"),
    "missing key": ("- name: daily\n    job: warehouse", "- ¦name: daily", "'job' is missing of schedule", "add `job"),
    "wrong type": ("cpu_units: 512", 'cpu_units: ¦"512"', "must be a whole number, not '512'", "without quotes"),
    "fraction": ("cpu_units: 512", "cpu_units: ¦512.5", "must be a whole number, not 512.5", "whole number"),
    "number for a text": ("HOST: dev.acme.internal", "HOST: ¦5432", "must be text, not 5432", 'quote it: "5432"'),
    "list for a mapping": ("{region: eu-west-1}", "¦[eu-west-1]", "environment 'dev' must be a mapping", "write {}"),
    "version as a number": ("version: 3.0.6", "version: ¦2.10", "must be text, not 2.10", 'quote it: "2.10"'),
    "server version as a number": ("1.12.14", "¦1.12", "must be text, not 1.12", 'quote it: "1.12"'),
    "short account": ("eu-west-1}", 'eu-west-1, account: ¦"1234"}', "must be the number of an AWS account", "twelve"),
    "odd region": ("{region: eu-west-1}", "{region: ¦Ireland}", "must be an AWS region, not 'Ireland'", "eu-west-1"),
    "server without a scheme": ("server: https://", "server: ¦", "must be an address that begins", "https://<host>/api"),
    "server with half a bracket": (SERVER, "¦https://[x/api", "'https://[x/api' is not an address", "https://<host>/api"),
    "server with a huge port": (SERVER, "¦https://x:99999999/api", "99999999/api' is not an address", ":<port>"),
    "server without a host": (SERVER, "¦https:///api", "'https:///api' names no host", "<host>"),
    "server with a query": (SERVER, "¦https://x.io/api?a=1", "has something behind its path", "<host>"),
    "server with an unknown name": (SERVER, "¦https://${HOTS}/api", "no secret or variable 'HOTS'", "'HOST'"),
    "name of a task": ("name: load,", "name: ¦my load,", "'name' of task 'my load' must be a name", "use letters"),
    "account as a number": ("eu-west-1}", "eu-west-1, account: ¦111122223333}", "must be text", 'quote it: "1111'),
    "impossible pair": (
        LOAD,
        LOAD + "memory_mib: ¦8192, ",
        "task 'load' has 512 CPU units with 8192 MiB, which Fargate does not offer",
        "with 512 CPU units use 1024 to 4096 MiB, or set cpu_units: 1024",
    ),
    "impossible pair by default": ("memory_mib: 1024", "memory_mib: ¦512", "task 'load' has 512 CPU", "1024 to 4096"),
    "no such CPU": (LOAD, LOAD + "cpu_units: ¦300, ", "300 CPU units", "256, 512, 1024"),
    "out of range": (LOAD, LOAD + "timeout_minutes: ¦0, ", "must be at least 1, not 0", "use at least 1"),
    "operator of exported files": (LOAD, LOAD + "operator: ¦docker, ", "dags export", "use ecs, virtualenv or python"),
    "unknown operator": (LOAD, LOAD + "operator: ¦spark, ", "or 'virtualenv', not 'spark'", "use"),
    "unknown job": ("job: warehouse", "job: ¦warehous", "names job 'warehous'", "'warehouse'"),
    "bad cron": (DAILY, '¦"0 25 * * *"', "'0 25 * * *' is not a cron expression", "@daily"),
    "six fields": (DAILY, '¦"0 0 3 * * *"', "has 6 fields, not 5", "five fields"),
    "cron that never fires": (DAILY, '¦"0 0 31 2 *"', "'0 0 31 2 *' never fires", "write L for its last"),
    "cron out of words": (DAILY, "¦every day at 3 am", "'every day at 3 am' is not an interval", "five fields"),
    "an interval of nothing": (DAILY, "¦every 0 minutes", "'every 0 minutes' is 0 minutes", "at least 1 minute"),
    "an interval of years": (DAILY, "¦every 60 weeks", "is 604800 minutes", "at most 366 days"),
    "an interval in other units": (DAILY, "¦every 2 months", "is not an interval", "minutes (or hours, days, weeks)"),
    "two delays": (
        DAILY,
        '"0 3 * * *"\n    retry_delay_minutes: 1\n    ¦retry_delay_seconds: 5',
        "retry_delay_minutes and retry_delay_seconds are one setting in two units",
        "keep one of them",
    ),
    "cron of huge numbers": (DAILY, '¦"0-99999999 * * * *"', "is not a cron expression", "five fields"),
    "unknown preset": (DAILY, '¦"@dayly"', "unknown preset '@dayly'", "'@daily'"),
    "interval as a number": (DAILY, "¦5", "must be text, not 5", "quote it"),
    "unknown time zone": ("Europe/Berlin", "¦Europe/Berln", "unknown time zone", "'Europe/Berlin'"),
    "folder as a time zone": ("Europe/Berlin", "¦Europe", "unknown time zone 'Europe'", ""),
    "path as a time zone": ("Europe/Berlin", "¦../../etc/passwd", "unknown time zone", "IANA"),
    "zone of this machine": ("Europe/Berlin", "¦localtime", "unknown time zone 'localtime'", "IANA"),
    "zone of no machine": ("Europe/Berlin", "¦Factory", "unknown time zone 'Factory'", "IANA"),
    "zone with leap seconds": ("Europe/Berlin", "¦right/Europe/Berlin", "unknown time zone 'right/", "'Europe/Berlin'"),
    "first day of all": ("timezone: Europe/Berlin", "start_date: ¦0001-01-01", "must be 1900-01-01 or later", "1900"),
    "last day of all": ("timezone: Europe/Berlin", "start_date: ¦9999-12-31", "must be 2199-12-31 or earlier", "2199"),
    "date in quotes": ("timezone: Europe/Berlin", 'start_date: ¦"2024-01-01"', "must be a date", "without quotes"),
    "missing file": ("config: warehouse", "config: ¦warehous", "warehous.yaml does not exist", "check the path"),
    "folder as a file": ("config: warehouse.yaml", "config: ¦meltano", "meltano is a folder", "name a file"),
    "path of this machine": ("config: warehouse", "config: ¦/etc/x", "is not a relative path", "relative"),
    "unknown workflow type": ("type: metadata", "type: ¦metdata", "unknown workflow type", "'metadata'"),
    "type without a class": (
        "type: metadata",
        "type: ¦dataInsight",
        "OpenMetadata 1.12.14 has nothing that runs workflow type dataInsight: it is in OpenMetadata's documentation",
        "run the application Data Insights",
    ),
    "type that no version runs": ("type: metadata", "type: ¦policyAgent", "no ingestion package has a", "governance"),
    "demand on a load": (LOAD, LOAD + "¦fail_on_warnings: true, ", "about the results of an OpenMetadata", "remove it"),
    "share on a load": (LOAD, LOAD + "¦min_success_percent: 95, ", "about the results of an OpenMetadata", "remove it"),
    "share above all": (LOAD, LOAD + "min_success_percent: ¦101, ", "must be at most 100, not 101", "use at most 100"),
    "missing Meltano project": ("project: meltano", "project: ¦meltan", "meltan/meltano.yml does not exist", "path"),
    "unknown Meltano environment": ("environment: prod}", "environment: ¦prd}", "no environment 'prd'", "prod"),
    "literal token": ('"${OM_JWT}"', "¦eyJhbGciOi", "'jwt_token' is a secret in plain text", "${NAME}"),
    "unknown token": ('"${OM_JWT}"', '¦"${OM_JTW}"', "there is no secret 'OM_JTW'", "'OM_JWT'"),
    "literal password": ("{HOST: d", "{DB_PASSWORD: ¦hunter2, HOST: d", "'DB_PASSWORD' is a secret", "allow-literal"),
    "password in an address": ("{HOST: d", "{DSN: ¦pg://u:pw@h/d, HOST: d", "with a password", "allow-literal"),
    "secret that is not a reference": ("secretsmanager:openm", "¦openm", "'OM_JWT': the value is no", "<name"),
    "secret with a version": (
        "secretsmanager:openmetadata",
        "¦secretsmanager:openmetadata#token:AWSCURRENT:1",
        "secret 'OM_JWT': its #<key> has a colon",
        "rename the field",
    ),
    "secret that ends as an ARN does": (
        "secretsmanager:openmetadata", "¦secretsmanager:om-secret", "'om-secret' ends in a dash and six", "whole ARN",
    ),
    "part of a secret's ARN": (
        "secretsmanager:openmetadata",
        "¦arn:aws:secretsmanager:eu-west-1:111122223333:secret:team/om",
        "'OM_JWT': the ARN lacks its end",
        "whole ARN",
    ),
    "parameter with two slashes": (
        "secretsmanager:openmetadata", "¦ssm://a//b/", "'OM_JWT': '//a//b/' is not the name of", "single slashes",
    ),
    "parameter without a name": ("secretsmanager:openmetadata", "¦ssm:/", "'/' is not the name of", "ssm:/team/name"),
    "parameter too deep": (
        "secretsmanager:openmetadata", "¦ssm:" + "/a" * 16, "has 16 levels, and SSM takes 15", "fewer",
    ),
    "parameter of SSM's own": ("secretsmanager:openmetadata", "¦ssm:/SSM-x", "'/SSM-x' begins with ssm", "whole name"),
    "parameter named as AWS's": ("secretsmanager:openmetadata", "¦ssm:awsToken", "'awsToken' begins with", "whole"),
    "unknown secret": (LOAD, LOAD + "secrets: [¦PASSWRD], ", "there is no secret 'PASSWRD'", "'PASSWORD'"),
    "secret through env": (LOAD, LOAD + 'env: {X: ¦"${PASSWORD}"}, ', "would show secret", "secrets: [PASSWORD]"),
    "secret and variable": ("{HOST: d", '{¦OM_JWT: "${X}", HOST: d', "both a secret and a variable", "rename"),
    "variable of a variable": ("HOST: dev", 'OTHER: ¦"${HOST}", HOST: dev', "names another", "write the value out"),
    "our own variable": ("HOST: dev", "¦PENSTOCK_RUN: x, HOST: dev", "cannot be the name", "PENSTOCK_"),
    "unknown after": ("- name: catalogue", "- name: catalogue\n        after: [¦laod]", "comes after 'laod'", "'load'"),
    "circle": (LOAD, LOAD + "after: ¦[catalogue], ", "wait for each other: load, catalogue", "circle"),
    "after itself": (LOAD, LOAD + "after: ¦[load], ", "wait for each other: load", "circle"),
    "two tasks of one name": ("name: catalogue", "name: ¦load", "has two tasks 'load'", "rename"),
    "two kinds": (LOAD, "- ¦{name: load, command: ls, ", "has meltano and command", "keep one"),
    "no kind": (LOAD + "meltano: tap-a target-b", "- ¦{name: load, spot: true", "has none of them", "add one"),
    "open quote": ("tap-a target-b", "¦\"tap 'a\"", "no closing quotation", "close its quotes"),
    "no program": ("meltano: tap-a target-b", "image: x, command: ¦['', -a]", "names no program", "a program and"),
    "no program in quotes": ("meltano: tap-a target-b", "image: x, command: ¦'\"\" -a'", "names no program", "a pro"),
    "image of an engine": (LOAD, LOAD + "¦image: x, ", "only a plain command takes an image", "remove it"),
    "long project name": ("name: acme", "name: ¦" + "a" * 21, "must have at most 20 characters", ""),
    "odd project name": ("name: acme", "name: ¦Acme_1", "must be a name in lower case, not 'Acme_1'", "single dashes"),
    "long environment name": ("  dev:", "  ¦development-eu:", "cannot be an environment's name", "12"),
    "environment sets too much": ("eu-west-1}", "eu-west-1, ¦jobs: {}}", "'dev' cannot set 'jobs'", "to the top level"),
    "no region": ("{region: eu-west-1}", "¦{}", "'region' is missing", "add `region: …`"),
    "unknown class": ("mw1.small", "¦mw1.smal", "unknown MWAA class", "'mw1.small'"),
    "workers of micro": (
        "class: mw1.small",
        "class: mw1.micro, workers: ¦{min: 1, max: 2}",
        "mw1.micro has exactly 1 worker, not 2",
        "{min: 1, max: 1}",
    ),
    "no range": ("10.20.0.0/16", "¦10.20.0.1/16", "not an IPv4 range", "10.20.0.0/16"),
    "not an AWS id": (
        "{create: {cidr: 10.20.0.0/16}}",
        "{use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, ¦subnet-7]}}",
        "'subnet-7' is not an AWS id",
        "8 or 17 hex digits",
    ),
    "small range": ("10.20.0.0/16", "¦10.20.0.0/28", "a /28 network is not possible", "/16 to /24"),
    "option of MWAA's": ("class: mw1.small", 'options: {¦core.executor: "x"}', "sets core.executor to", "remove it"),
}  # fmt: skip


def _place(text: str) -> tuple[str, str]:
    """A text without its mark, and line and column of the mark."""
    before, _, rest = text.partition(HERE)
    return before + rest, f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize(("old", "new", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_place_and_fix(tmp_path: Path, old: str, new: str, what: str, fix: str) -> None:
    """The first error reported is the mistake, at its line and column."""
    text, where = _place(PROJECT.replace(old, new, 1))
    place, said, advice = errors(write(tmp_path, (PROJECT, text)))[0]

    assert text != PROJECT, "the edit found its place"
    assert place == f"penstock.yaml:{where}"
    assert what in said
    assert fix in advice
    assert advice


def test_allowed_literal_is_let_through(tmp_path: Path) -> None:
    """The comment on the line is the way out, for that line only."""
    allowed = "variables:\n  HOST: h\n  MY_KEY: a  # penstock: allow-literal\n  MY_TOKEN: b"
    problems = errors(write(tmp_path, ("variables: {HOST: dev.acme.internal}", allowed)))

    assert [what for _, what, _ in problems] == ["'MY_TOKEN' is a secret in plain text"]


def test_all_errors_come_in_one_pass(tmp_path: Path) -> None:
    """Shape, meaning and other files: as much as can be known is reported together, each once for all environments."""
    edits = [(DAILY, '"0 25 * * *"'), ("Europe/Berlin", "Nowhere"), ("config: warehouse", "config: warehous")]
    places = [place for place, _, _ in errors(write(tmp_path, *edits))]

    assert sorted(places) == ["penstock.yaml:23:48", "penstock.yaml:27:15", "penstock.yaml:28:15"]


WORKFLOWS = {
    # name: (old text, new text, part of what)
    "no name": ('"${HOST}:5432"', '¦"${my-host}:5432"', "nothing fills ${my-host}"),
    "default of a shell": ('"${HOST}:5432"', '¦"${HOST:-x}:5432"', "nothing fills ${HOST:-x}"),
    "literal password": ('"${PASSWORD}"', '¦"hunter2"', "'password' is a secret in plain text"),
    "unknown name": ('"${HOST}:5432"', '¦"${HOTS}:5432"', "${HOTS} is neither a secret nor a variable"),
    "a list": (WORKFLOW, "¦- a\n", "holds a list, not a mapping"),
    "no source": (WORKFLOW, "¦sink: {}\n", "has no `source` mapping"),
    "no source type": ("  type: postgres\n  serviceName", "  ¦serviceName", "source.type is missing"),
    "no service": ("type: postgres\n  serviceName: warehouse", "¦type: postgres", "source.serviceName is missing"),
    "of another type": ("DatabaseMetadata", "¦Profiler", "config type Profiler runs as workflow type profiler"),
    "of another class": ("DatabaseMetadata", "¦DatabaseUsage", "config type DatabaseUsage runs as workflow type usage"),
    "server as a text": ("sink", "workflowConfig: ¦here\nsink", "workflowConfig is not a mapping"),
    "no YAML": ("sink", "¦\tx: 1\nsink", "not YAML"),
}


@pytest.mark.parametrize(("old", "new", "what"), WORKFLOWS.values(), ids=WORKFLOWS)
def test_workflow_file_is_checked_with_its_own_lines(tmp_path: Path, old: str, new: str, what: str) -> None:
    """A mistake in a workflow file is shown there, not where the file is named."""
    content, where = _place(WORKFLOW.replace(old, new, 1))
    place, said, _ = errors(write(tmp_path, files={"warehouse.yaml": content}))[0]

    assert (place, what in said) == (f"warehouse.yaml:{where}", True)


RUN_J = "schedules: [{name: s, interval: '@daily', job: j}"
EXTRACT = "schedules: [{name: s, interval: '@daily', extractor: a, loader: b, transform: skip"


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("jobs: [¦a]", "jobs must be a list of entries with a name"),
        ("include_paths: [¦/etc/*]", "cannot be searched for"),
        ("include_paths: ¦conf", "include_paths must be a list"),
        (f"{EXTRACT}, start_date: ¦2027-13-01}}]", "'2027-13-01' is not a valid date"),
        (f"{EXTRACT}, env: {{TAP_PASSWORD: ¦hunter2}}}}]", "'TAP_PASSWORD' is a secret in plain text"),
    ],
)
def test_meltano_file_is_checked_with_its_own_lines(tmp_path: Path, more: str, what: str) -> None:
    """What Meltano would say at run time, or not at all, is said now."""
    content, where = _place(MELTANO + more)
    place, said, _ = errors(write(tmp_path, files={"meltano/meltano.yml": content}))[0]

    assert (place, what in said) == (f"meltano/meltano.yml:{where}", True)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("schedules: [{name: s, interval: '@daily', job: ¦j}", "it names job 'j', which is in no file"),
        ("schedules: [{name: s, interval: ¦every day, extractor: a, loader: b, transform: skip}", "has 2 fields"),
        ("schedules: [¦{name: s, job: j}", "it has no interval"),
        ("schedules: [¦{name: s, interval: every day}", "it has no extractor"),
        (f"jobs: [¦{{name: j, tasks: []}}]\n{RUN_J}", "job 'j' has no tasks"),
        (f'jobs: [¦{{name: j, tasks: ["a \'b"]}}]\n{RUN_J}', "task 1 of job 'j' cannot be split"),
        (f"{EXTRACT}, start_date: ¦0001-01-01}}", "start_date must be a day from 1900-01-01 to 2199-12-31"),
        (f"{EXTRACT}, start_date: ¦'next week'}}", "start_date 'next week' is not a date"),
        (f"{EXTRACT}, start_date: ¦20270301}}", "start_date '20270301' is not a date"),
    ],
)
def test_a_mistake_in_a_schedule_of_meltanos_stops_that_one_alone(tmp_path: Path, more: str, what: str) -> None:
    """A warning says which and why; the schedules beside it are there."""
    good = "{name: good, interval: '@daily', extractor: tap-a, loader: target-b, transform: skip}"
    content, where = _place(f"{MELTANO}{more}, {good}]\n")
    plan = compile_plan(load(write(tmp_path, files={"meltano/meltano.yml": content})))

    (left_out,) = plan.left_out
    assert left_out.startswith(f"meltano/meltano.yml:{where}: schedule 's' is left out: ")
    assert what in left_out
    assert left_out in plan.warnings
    assert {schedule.name for schedule in plan.schedules} == {"good", "daily"}


@pytest.mark.parametrize("name", ["schedules_00.py", "release/x.py"])
def test_dag_file_may_not_take_a_name_of_the_bundle(tmp_path: Path, name: str) -> None:
    """A file of the user's would overwrite one of the bundle's, or be overwritten."""
    assert errors(write(tmp_path, files={f"dags/{name}": ""}))[0][0] == f"dags/{name}"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        ("- a", "a list, not a project"),
        ("text", "a single value"),
        ("name: x", "'environments' is missing"),
    ],
)
def test_file_that_is_no_project(tmp_path: Path, content: str, what: str) -> None:
    """What is not a project at all is said in one error."""
    assert what in errors(write(tmp_path, files={"penstock.yaml": content}))[0][1]
