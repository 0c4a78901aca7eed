"""Every grant is needed and every need is granted: for each role of the deployed system, grant by grant."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from functools import partial

import psutil
import pytest

from penstock.local import fargate, services
from tests.functional import permission_strangers as strangers
from tests.functional.permission_airflow import Airflow, airflow, engine_of, refused
from tests.functional.permission_grants import Grant, Key
from tests.functional.permission_system import PARAMETER, Deployed, Ended, deployed
from tests.functional.permission_tables import NOT_HERE, STEPS, TOLD

ENGINES = ("meltano", "openmetadata", "command")
STATE = ["state", "set", "--force"]
AIRFLOW, EXEC, TASK = ([key for key in STEPS if key[0] == kind] for kind in ("airflow", "exec", "task"))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The deployed project; no task of it runs on after a test."""
    with deployed(tmp_path_factory.mktemp("permissions")) as found:
        yield found


@pytest.fixture(scope="module")
def operator(system: Deployed) -> Iterator[Airflow]:
    """Airflow with the bundle, which it has got by the execution role's own permissions."""
    assert system.synchronize() > 0
    with airflow(system) as found:
        yield found


@pytest.fixture(autouse=True)
def _nothing_runs_on(system: Deployed) -> Iterator[None]:
    yield
    system.stop_all()


def grants(system: Deployed, key: Key) -> list[Grant]:
    """The deployed grants of that key: one for each task definition, where it is about one."""
    found = [grant for grant in system.roles.grants() if system.roles.key(grant) == key]
    assert found
    return found


def ids(key: Key) -> str:
    return " ".join(key)


def test_every_grant_is_known(system: Deployed) -> None:
    """A grant is either one that a step needs, or one that is listed with the reason why none here can."""
    keys = {system.roles.key(grant) for grant in system.roles.grants()}

    assert keys - STEPS.keys() - NOT_HERE.keys() == set(), "a new grant: name the step that needs it, or remove it"
    assert (STEPS.keys() | NOT_HERE.keys()) - keys == set(), "these are not deployed any more"
    assert STEPS.keys() & NOT_HERE.keys() == set()


def test_the_execution_role_is_enough(system: Deployed, operator: Airflow) -> None:
    """With the execution role's session and nothing else, the bundle arrives, and tasks start, show their log, end."""
    steps = operator.steps(ENGINES) | operator.steps(["command"], "ready")

    assert set(operator.dags) == {schedule.dag_id for schedule in system.plan.schedules}
    assert refused(steps) == {}
    assert {step.split()[0] for step in steps} == {STEPS[key] for key in AIRFLOW}


@pytest.mark.parametrize("key", AIRFLOW, ids=ids)
def test_without_a_grant_airflow_fails_at_its_step(system: Deployed, operator: Airflow, key: Key) -> None:
    """Each grant of the execution role: without it, its step is refused, and no other."""
    for grant in grants(system, key):
        engine = engine_of(system.plan.task_definitions, grant.resource)
        step = STEPS[key]
        with system.roles.without(grant):
            steps = operator.steps(ENGINES) if step == "start" else operator.steps(["command"], "ready")
        failed = refused(steps)

        # A grant that is for the tasks of all families, and needed to start one.
        engines = (engine,) if engine else ENGINES if step == "start" else ("command",)
        assert set(failed) == ({step} if step == "synchronize" else {f"{step} {one}" for one in engines}), failed
        assert says(grant, *failed.values())


def test_roles_are_handed_to_ecs_only(system: Deployed, operator: Airflow) -> None:
    """With the same roles, but for another service, nothing starts: the condition on iam:PassRole is what counts."""
    for grant in grants(system, ("airflow", "iam:PassRole", "role/{role}-task"))[:1]:
        with system.roles.on_condition(grant, {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}):
            steps = operator.steps(ENGINES)

        assert set(refused(steps)) == {f"start {engine}" for engine in ENGINES}
        assert says(grant, *refused(steps).values())


@pytest.mark.parametrize("key", EXEC, ids=ids)
def test_without_a_grant_the_container_does_not_start(system: Deployed, key: Key) -> None:
    """Each grant of a task definition's execution role: without it ECS cannot start the container, and says why."""
    for grant in grants(system, key):
        with system.roles.without(grant):
            ended = system.ended(system.start(system.task_of(grant.role.family)))

        assert (ended.code, ended.stop_code) == (None, "TaskFailedToStart")
        assert TOLD[STEPS[key]] in ended.reason
        assert says(grant, ended.reason)


def test_the_task_roles_are_enough(system: Deployed) -> None:
    """With all their grants, a task of each engine gets what it needs of S3."""
    for engine, ended in containers(system, ENGINES).items():
        assert went_well(engine, ended), ended.text


@pytest.mark.parametrize("key", TASK, ids=ids)
def test_without_a_grant_the_task_fails_at_its_step(system: Deployed, key: Key) -> None:
    """Each grant of a task role: without it the task's step fails, and the container says why."""
    for grant in grants(system, key):
        engine = system.task_of(grant.role.family).engine
        with system.roles.without(grant):
            ended = containers(system, (engine,))[engine]

        assert ended.code not in (None, 0)
        assert not went_well(engine, ended)
        assert TOLD[STEPS[key]] in ended.text
        assert says(grant, ended.text)


@pytest.fixture(scope="module")
def others(system: Deployed) -> None:
    """Somebody else uses the account too."""
    strangers.settle(system)


@pytest.mark.usefixtures("others")
def test_the_execution_role_can_do_nothing_else(system: Deployed) -> None:
    """Other families, clusters, roles, logs, buckets, secrets: all denied, and so is changing what it runs."""
    calls = strangers.of_airflow(system)
    answers = strangers.attempt(system.airflow, calls)

    assert strangers.allowed(calls, answers) == set(), answers


@pytest.mark.usefixtures("others")
def test_a_task_can_do_nothing_else(system: Deployed) -> None:
    """Tried from inside a container of each task definition: only its engine's own keys in the artifacts bucket."""
    calls = strangers.of_a_task(system)
    command = ("python", "-c", strangers.SCRIPT, strangers.as_text(calls))
    tasks = {task.engine: task for task in map(system.task, ("load", "catalogue", "probe"))}
    started = {engine: system.start(task, engine="command", command=command) for engine, task in tasks.items()}
    allowed = {}
    for engine, arn in started.items():
        lines = [line for line in system.ended(arn).lines if line.startswith('["')]
        allowed[engine] = strangers.allowed(calls, dict(json.loads(line) for line in lines))

    assert allowed == {
        "meltano": {"read state", "write state", "delete state", "list state"},
        "openmetadata": {"read a config"},
        "command": set(),
    }


@pytest.mark.usefixtures("others")
def test_ecs_can_do_nothing_else_for_a_task(system: Deployed) -> None:
    """The role with which ECS starts a task reads exactly the secrets of that task, and opens its log."""
    own = {
        "meltano": {strangers.WAREHOUSE},
        "openmetadata": {strangers.OPENMETADATA, strangers.WAREHOUSE},
        "command": {PARAMETER},
    }
    for definition in system.plan.task_definitions:
        keys = system.endpoint.assume(strangers.double(system, f"{definition.role_prefix}-exec"), "ecs")
        calls = strangers.of_ecs(system)
        answers = strangers.attempt(partial(system.endpoint.client, keys=keys), calls)

        assert strangers.allowed(calls, answers) == {*own[definition.engine], "open its log"}, answers


def test_nobody_has_the_root_key(system: Deployed, operator: Airflow) -> None:
    """Neither Airflow's process nor that of a running task has the account's own key in its environment."""
    arn = system.start(system.task("probe"))
    until = time.monotonic() + 20
    while "ready" not in fargate.log(system.plan, system.endpoint, arn):
        assert time.monotonic() < until
        time.sleep(0.1)
    processes = {*services.marked(system.instance.id), psutil.Process(operator.process.pid)}
    environments = [process.environ() for process in processes]
    root = system.endpoint.root()

    # Of the instance's processes, those with keys are the container's: its first one, and what that has started.
    assert len([one for one in environments if one.get("AWS_ACCESS_KEY_ID", "").startswith("ASIA")]) >= 3
    for one in environments:
        assert one.get("AWS_ACCESS_KEY_ID", "ASIA").startswith("ASIA")
        assert not [
            name for name, value in one.items() if root.access_key_id in value or root.secret_access_key in value
        ]


def containers(system: Deployed, engines: tuple[str, ...]) -> dict[str, Ended]:
    """Run a task of each engine at the same time, as far as it takes to use all of the task role's grants."""
    how = {
        # Meltano's own command for a pipeline that has no state yet: takes the lock, writes, gives the lock back.
        "meltano": lambda: system.start(
            system.task("load"), command=(*STATE, uuid.uuid4().hex, '{"singer_state": {}}')
        ),
        # Stops right behind its config: that names what this task is not given.
        "openmetadata": lambda: system.start(system.task("catalogue"), names=()),
        "command": lambda: system.start(system.task("probe"), command=("true",)),
    }
    started = {engine: how[engine]() for engine in engines}
    return {engine: system.ended(arn) for engine, arn in started.items()}


def went_well(engine: str, ended: Ended) -> bool:
    """Whether all steps were reached and taken."""
    if engine == "openmetadata":
        return ended.code == 2 and "the config names ${" in ended.text
    return ended.code == 0


def says(grant: Grant, *texts: str | None) -> bool:
    """Whether each text names this grant: AWS's refusal names the action."""
    # Where S3 authorizes several calls by one pattern, the refusal names the call.
    call = {"s3:List*": "ListObjectsV2", "s3:GetObject*": "GetObject", "s3:DeleteObject": "DeleteObjects"}
    action = call.get(grant.action, grant.action)
    return bool(texts) and all(text is not None and "not authorized" in text and action in text for text in texts)
