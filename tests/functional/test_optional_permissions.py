"""Every grant that only some settings bring is needed, and every need granted: as `test_permissions` for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest

from penstock_runtime.contract import Exit
from tests.functional import optional_steps as steps_of
from tests.functional import optional_strangers
from tests.functional import optional_tables as tables
from tests.functional import permission_strangers as strangers
from tests.functional.optional_project import Environment, environments
from tests.functional.optional_shared import SharedVpc, shared_vpc
from tests.functional.permission_airflow import Steps, refused
from tests.functional.permission_grants import Grant, Key
from tests.functional.permission_tables import NOT_HERE, STEPS, TOLD

BASE = ("check", "flow log", "failures", "watch", "reaper")
"""Kinds of roles that every project has; docs/permissions.md says what they are for."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Environment]]:
    """The three environments."""
    with environments(tmp_path_factory.mktemp("optional")) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def shared(found: dict[str, Environment], tmp_path_factory: pytest.TempPathFactory) -> SharedVpc:
    """What makes MWAA's endpoints where the VPC is another account's, beside the first environment."""
    return shared_vpc(found["made"], tmp_path_factory.mktemp("shared"))


def ids(key: Key) -> str:
    return " ".join(key)


def test_every_grant_is_known(found: dict[str, Environment], shared: SharedVpc) -> None:
    """A grant is needed by a step, here or in every project, or it is listed with the reason why none can need it."""
    here = {
        key
        for environment in found.values()
        for key in map(environment.roles.key, environment.roles.grants())
        if key[0] not in BASE
        # CDK's own, which it gives its function in every project.
        and not (key[0] == "fill" and key[1].startswith("s3:"))
    }
    # The owner's is docs/shared-vpc.md's.
    here |= {key for key in map(shared.roles.key, shared.roles.grants()) if key[0] != "owner"}
    known = STEPS.keys() | NOT_HERE.keys() | tables.STEPS.keys() | tables.NOT_HERE.keys() | tables.ELSEWHERE.keys()
    own = tables.STEPS.keys() | tables.NOT_HERE.keys() | tables.ELSEWHERE.keys()

    assert here - known == set(), "a new grant: name the step that needs it, or remove it"
    assert own - here == set(), "these are not deployed any more"


def test_in_our_own_vpc_cloudformation_makes_the_endpoints(found: dict[str, Environment]) -> None:
    """No role of ours: they are in the stack, MWAA has gone on by itself, and nobody but CloudFormation is asked."""
    made = found["made"]
    endpoints = made.resources("airflow", "AWS::EC2::VPCEndpoint")
    known = made.system.root("ec2").describe_vpc_endpoints(VpcEndpointIds=list(endpoints.values()))["VpcEndpoints"]
    environment = made.system.root("mwaa").get_environment(Name=made.system.mwaa["Name"])["Environment"]

    assert environment["Status"] == "AVAILABLE"
    assert {one["ServiceName"] for one in known} == {
        environment["DatabaseVpcEndpointService"],
        environment["WebserverVpcEndpointService"],
    }
    assert not made.resources("airflow", "AWS::StepFunctions::StateMachine")


def failing(
    environment: Environment, table: dict[Key, str], steps: Callable[[], Steps], *, task: str | None = None
) -> None:
    """With all grants every step goes well; without each one of the table, its step is refused and no other.

    Args:
        task: the one that the steps start; a grant that is about another one's task definition or roles is left alone.
    """
    whole = steps()
    assert refused(whole) == {}
    system = environment.system
    others = [one for one in system.plan.task_definitions if task and one.family != system.task(task).family]
    names = [name for one in others for name in (one.family, f"{one.family[:-8]}????????", one.role_prefix)]
    for key, step in table.items():
        grants = [one for one in environment.grants(key) if not any(name in one.resource for name in names)]
        assert grants, key
        for grant in grants:
            with environment.roles.without(grant):
                failed = refused(steps())
            assert set(failed) == {step}, (key, failed)
            assert says(grant, failed[step]), (key, failed)


def says(grant: Grant, text: str | None) -> bool:
    """AWS's refusal names the action; S3 names the call where it asks for several at once."""
    return text is not None and f"not authorized to perform: {grant.action}" in text


@pytest.mark.parametrize(("name", "table"), [("used", tables.RUN), ("own", tables.RUN | tables.FETCH)])
def test_an_airflow_that_exists_runs_tasks(found: dict[str, Environment], name: str, table: dict[Key, str]) -> None:
    """The managed policies for the role that exists: each grant; with all of them, tasks start, show a log, stop."""
    environment = found[name]
    failing(environment, table, partial(steps_of.run, environment), task="read")


def test_our_airflow_reads_with_its_own_key(found: dict[str, Environment]) -> None:
    """`airflow.create.kms_key`: without it MWAA could not read a file of its bucket."""
    made = found["made"]
    failing(made, tables.OWN_KEY, partial(steps_of.run, made))


def test_our_airflow_does_what_the_project_permits(found: dict[str, Environment]) -> None:
    """`airflow.create.permissions`: the role reads the connections that they name, and without them it does not."""
    made = found["made"]
    failing(made, tables.PERMITTED_AIRFLOW, partial(steps_of.connect, made))


def test_the_dag_that_finds_the_database_writes_its_secret(found: dict[str, Environment]) -> None:
    """`airflow.catalogue` by the database: Airflow's role reads and writes that one secret, and needs both."""
    made = found["made"]
    failing(made, tables.DATABASE, partial(steps_of.find_database, made))


def test_the_catalogues_task_gets_the_address(found: dict[str, Environment]) -> None:
    """ECS reads the secret for it, by its name and by its whole ARN; without either the task does not start."""
    made = found["made"]
    system = made.system
    assert refused(steps_of.find_database(made)) == {}
    assert system.ended(system.start(system.task("metadata"))).stop_code == "EssentialContainerExited"
    for key in tables.DATABASE_TASK:
        grants = made.grants(key)
        assert grants, key
        for grant in grants:
            with made.roles.without(grant):
                ended = system.ended(system.start(system.task("metadata")))
            assert ended.stop_code == "TaskFailedToStart"
            assert says(grant, ended.reason)


def test_the_catalogues_task_reads_airflows_rest_api(found: dict[str, Environment]) -> None:
    """`airflow.catalogue` by MWAA's REST API: the task's role is granted it, and no other role of the plan is."""
    used = found["used"]
    failing(used, tables.REST_API, partial(steps_of.read_airflow, used))


@pytest.mark.parametrize("name", ["used", "own"])
def test_a_guest_writes_its_folder(found: dict[str, Environment], name: str) -> None:
    """CDK's function in somebody's bucket: what it sends, large files too, and what it takes away."""
    environment = found[name]
    without = {key: step for key, step in tables.UPLOAD.items() if step != "clean up"}
    failing(environment, without, partial(steps_of.upload, environment))


def test_a_guest_leaves_no_parts_behind(found: dict[str, Environment]) -> None:
    """An upload that fails in the middle: what was sent of it is taken away, unless that one grant is missing."""
    used = found["used"]
    (key,) = [key for key, step in tables.UPLOAD.items() if step == "clean up"]
    (clean_up,) = used.grants(key)
    (part,) = used.grants(("upload", "kms:Decrypt", tables.KEY))
    with used.roles.without(part):
        assert set(refused(steps_of.upload(used))) == {"upload"}
        # The statement that comes first is changed last: the numbers of the others stay.
        assert clean_up.number < part.number
        with used.roles.without(clean_up):
            failed = refused(steps_of.upload(used))

    assert set(failed) == {"upload", "clean up"}
    assert says(clean_up, failed["clean up"])


def test_our_bucket_is_filled_with_its_own_key(found: dict[str, Environment]) -> None:
    """CDK's function in a bucket of ours that has a key: sends small and large files, and needs no more of the key."""
    made = found["made"]
    failing(made, tables.FILL, partial(steps_of.upload, made))


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("used", tables.RELEASE),
        ("made", {key: step for key, step in tables.RELEASE.items() if key[2] == tables.KEY}),
    ],
)
def test_a_release_goes_live_under_a_key(found: dict[str, Environment], name: str, table: dict[Key, str]) -> None:
    """The function that makes a release live: each grant; in a bucket of ours, those for its key."""
    environment = found[name]
    failing(environment, table, partial(steps_of.go_live, environment))


@pytest.mark.parametrize("name", ["made", "used", "own"])
def test_without_a_grant_the_image_is_not_pulled(found: dict[str, Environment], name: str) -> None:
    """From the pull-through cache, from a repository of ECR, from a private registry: each grant of each."""
    environment = found[name]
    system, tried = environment.system, 0
    assert system.ended(system.start(system.task("read"))).code == 0
    for key, step in tables.IMAGES.items():
        for grant in environment.grants(key):
            with environment.roles.without(grant):
                ended = system.ended(system.start(system.task("read")))
            tried += 1
            assert (ended.code, ended.stop_code) == (None, "TaskFailedToStart"), (key, ended)
            assert TOLD.get(step, "unable to retrieve secret from asm") in ended.reason
            assert says(grant, ended.reason)

    # The log-in of "own" goes by name: by its partial ARN, and by that with six characters more.
    assert tried == {"made": 6, "used": 4, "own": 2}[name]


def test_without_the_key_the_log_in_is_not_decrypted(found: dict[str, Environment]) -> None:
    """`secret_kms_keys`: Secrets Manager refuses, in its own words, what the key does not decrypt for ECS."""
    system = found["own"].system
    ((key, _),) = tables.SECRETS.items()
    (grant,) = found["own"].grants(key)
    with found["own"].roles.without(grant):
        ended = system.ended(system.start(system.task("read")))

    assert (ended.code, ended.stop_code) == (None, "TaskFailedToStart")
    assert "Access to KMS is not allowed" in ended.reason


def test_a_task_does_what_the_project_permits(found: dict[str, Environment]) -> None:
    """`permissions`: with them the task reads the bucket that they name, and without them it does not."""
    system = found["used"].system
    ((key, _),) = tables.PERMITTED.items()
    (grant,) = found["used"].grants(key)
    with found["used"].roles.without(grant):
        ended = system.ended(system.start(system.task("read")))

    assert ended.code not in (None, 0)
    assert says(grant, ended.text)


def test_a_task_fetches_its_files(found: dict[str, Environment]) -> None:
    """`files`: the role of a task that gets a file of the project reads it, and without its grant the run ends."""
    system = found["used"].system
    ((key, _),) = tables.FILES.items()
    (grant,) = found["used"].grants(key)
    with found["used"].roles.without(grant):
        ended = system.ended(system.start(system.task("read")))

    assert ended.code == Exit.ARTIFACT
    assert "cannot use s3://" in ended.text
    assert says(grant, ended.text)


def test_the_event_starts_the_state_machine(found: dict[str, Environment], shared: SharedVpc) -> None:
    """EventBridge's role: without its grant the event of CloudFormation starts nothing, and MWAA waits."""
    made = found["made"]
    states = made.system.root("stepfunctions")

    def count() -> int:
        return len(states.list_executions(stateMachineArn=shared.machine)["executions"])

    ((key, _),) = tables.START.items()
    (grant,) = [one for one in shared.roles.grants() if shared.roles.key(one) == key]
    before = count()
    with steps_of.hearing_of_it(made, shared.rule):
        with shared.roles.without(grant), steps_of.pending(made):
            assert steps_of.look_and_make(made, shared.machine) == {"make the endpoints": None}
        by_hand = count()
        with steps_of.pending(made):
            pass

    # MWAA is there in the end, so the event has been sent.
    assert (by_hand - before, count() - by_hand) == (1, 1)


def test_in_a_shared_vpc_the_owners_role_makes_them(found: dict[str, Environment], shared: SharedVpc) -> None:
    """The state machine may look and take on the owner's role; each grant of that one, too, as the document has it."""
    made = found["made"]
    grants = [grant for grant in shared.roles.grants() if grant.role.kind != "starter"]
    keys = [shared.roles.key(grant) for grant in grants]
    with steps_of.pending(made):
        for grant, key in zip(grants, keys, strict=True):
            with shared.roles.without(grant):
                failed = refused(steps_of.look_and_make(made, shared.machine))
            assert set(failed) == {tables.ENDPOINTS.get(key, "make the endpoints")}, (key, failed)
            assert says(grant, failed.popitem()[1])
        assert steps_of.look_and_make(made, shared.machine) == {"make the endpoints": None}

    assert {key for key in keys if key[0] == "endpoints"} == tables.ENDPOINTS.keys()
    assert len({key[1:] for key in keys if key[0] == "owner"}) == 5


@pytest.fixture(scope="module")
def others(found: dict[str, Environment]) -> None:
    """Somebody else uses the account too."""
    strangers.settle(found["made"].system)


def allowed(environment: Environment, role: str, calls: Sequence[strangers.Call]) -> set[str]:
    """The calls that a session of that role is not denied."""
    keys = environment.endpoint.assume(role, "test")
    answers = strangers.attempt(partial(environment.endpoint.client, keys=keys), calls)
    return strangers.allowed(calls, answers)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(("name", "other"), [("made", "used"), ("used", "made"), ("own", "used")])
def test_airflow_can_do_nothing_else(found: dict[str, Environment], name: str, other: str) -> None:
    """Nobody else's tasks, secrets and buckets; nor another environment's; of the key only what S3 does with it; and of
    what the project permits not a step more."""
    system = found[name].system
    calls = [*strangers.of_airflow(system), *optional_strangers.of_another_environment(found[name], found[other])]
    calls += optional_strangers.of_the_key(found[name]) + optional_strangers.of_a_backend()
    own = {"a connection"} if name == "made" else set()

    assert allowed(found[name], system.place.role_arn, calls) == own


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("name", "kind"), [("used", "upload"), ("own", "upload"), ("used", "release"), ("made", "release")]
)
def test_who_fills_a_bucket_can_do_nothing_else(found: dict[str, Environment], name: str, kind: str) -> None:
    """Other folders of the bucket, other buckets; of the key only what S3 does with it."""
    environment = found[name]
    calls = optional_strangers.of_a_writer(environment) + optional_strangers.of_the_key(environment)

    assert allowed(environment, environment.role(kind), calls) == set()


@pytest.mark.parametrize("kind", ["endpoints", "starter", "owner"])
def test_who_makes_endpoints_can_do_nothing_else(found: dict[str, Environment], shared: SharedVpc, kind: str) -> None:
    """Other networks, AWS's own services, tags of what is there, other environments, other machines."""
    made, role = found["made"], shared.arns[kind]
    calls = optional_strangers.of_an_endpoint_maker(made)
    if kind == "owner":
        # Its trust names the state machine's role alone.
        keys = made.endpoint.assume(role, "test", made.endpoint.assume(shared.arns["endpoints"], "test"))
        answers = strangers.attempt(partial(made.endpoint.client, keys=keys), calls)
        assert strangers.allowed(calls, answers) == set()
    else:
        assert allowed(made, role, calls) == set()


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(("name", "own"), [("made", set()), ("used", set()), ("own", {"the registry's log-in"})])
def test_ecs_and_the_task_can_do_nothing_else(found: dict[str, Environment], name: str, own: set[str]) -> None:
    """ECS: its own image and log-in. The task: what the project permits, on what it names."""
    environment = found[name]
    prefix = environment.system.plan.task_definitions[0].role_prefix
    execution, task = (strangers.double(environment.system, f"{prefix}-{kind}") for kind in ("exec", "task"))

    assert allowed(environment, execution, optional_strangers.of_ecs(environment)) == own
    assert allowed(environment, task, optional_strangers.of_a_task(environment)) == {"list what is permitted"}
