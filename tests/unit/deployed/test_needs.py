"""What a push compares: the facts that a deploy wrote, against what the plan needs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.bundle.build import build_bundle
from penstock.bundle.revision import Revision
from penstock.compile.compiler import compile_plan
from penstock.deployed import needs
from penstock.deployed.account import Account
from penstock.deployed.push import Lacking, prepare, staged
from penstock.deployed.state import Deployed
from penstock.home import DAGS
from penstock_runtime.plan.airflow import SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Permission, Secret, TaskDefinition
from penstock_runtime.release import image_context, infrastructure
from penstock_runtime.release.manifest import ReleaseLocation
from tests.unit.project_files import loaded


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return compile_plan(loaded(tmp_path_factory.mktemp("project"), files={"dags/own.py": "# mine\n"}))


def facts(plan: Plan, runtime: str = "a" * 64, images: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """What a deploy of the plan writes, as read back from the bucket."""
    described = infrastructure.describe(plan, runtime_sha256=runtime, images=images or {}, account=more.get("account"))
    read: dict[str, Any] = json.loads(json.dumps(described))
    return read


def test_what_was_deployed_holds_what_it_was_deployed_for(plan: Plan) -> None:
    """A plan that names no account runs in the one at hand."""
    assert needs.lacking(facts(plan, account="111122223333"), facts(plan), plan) == []
    assert needs.waiting(facts(plan), facts(plan)) == []


def test_a_change_of_size_or_of_airflow_can_be_pushed(plan: Plan) -> None:
    """The first is RunTask's, the second waits."""
    definitions = tuple(replace(definition, cpu_units=4096, memory_mib=8192) for definition in plan.task_definitions)
    other = replace(plan, task_definitions=definitions, airflow=replace(plan.airflow, max_workers=9), protected=True)

    assert needs.lacking(facts(plan), facts(other), other) == []
    assert needs.waiting(facts(plan), facts(other)) == ["airflow: max_workers 2 → 9", "protected: False → True"]


def test_each_lack_is_named_with_its_tasks(plan: Plan) -> None:
    """Place, network, runtime, and what a task definition holds."""
    meltano = next(definition for definition in plan.task_definitions if definition.engine == "meltano")
    other_secret = Secret("PASSWORD", "secretsmanager", "warehouse", "other")
    changed = replace(meltano, secrets=(other_secret,), architecture="arm64")
    rest = tuple(definition for definition in plan.task_definitions if definition is not meltano)
    other = replace(
        plan,
        region="eu-west-2",
        network=replace(plan.network, cidr="10.9.0.0/16"),
        task_definitions=(changed, *rest),
    )
    missing = needs.lacking(facts(plan, account="1"), facts(other, runtime="b" * 64, account="2"), other)

    assert missing == [
        "the account changed: 1 → 2",
        "the region changed: eu-west-1 → eu-west-2",
        "the network changed: cidr 10.20.0.0/16 → 10.9.0.0/16",
        "the runtime in the containers changed: another version of Penstock deployed it",
        f"task definition {meltano.family}, for daily.load, changed: architecture x86_64 → arm64; "
        "secrets [PASSWORD (warehouse#password)] → [PASSWORD (warehouse#other)]",
    ]


CREATED = Network(cidr="10.20.0.0/16", egress="nat")
SEALED = Network(cidr="10.20.0.0/16", egress="endpoints", nat_gateways=0, endpoints=("logs",))
EXISTING = Network(cidr=None, egress=None, vpc="vpc-1", private_subnets=("a", "b"), nat_gateways=0, flow_log_days=None)


@pytest.mark.parametrize(
    ("network", "changes", "told"),
    [
        (CREATED, {"flow_log_days": 60}, "flow_log_days 30 → 60"),
        (CREATED, {"flow_log_days": None}, "flow_log_days 30 → nothing"),
        (CREATED, {"nat_gateways": 1}, "nat_gateways 2 → 1"),
        (replace(SEALED, endpoints=("glue", "logs")), {"endpoints": ("logs",)}, "endpoints [glue, logs] → [logs]"),
        (replace(SEALED, trusted_accounts=("1",)), {"trusted_accounts": ()}, "trusted_accounts [1] → []"),
        (EXISTING, {"airflow_security_groups": ("sg-1",)}, "airflow_security_groups [] → [sg-1]"),
        (EXISTING, {"endpoint_security_groups": ("sg-1",)}, "endpoint_security_groups [] → [sg-1]"),
        (EXISTING, {"shared": True, "endpoint_role": "r"}, "endpoint_role nothing → r, shared False → True"),
        (replace(EXISTING, task_subnets=("t",)), {"private_subnets": ("c", "d")}, "private_subnets [a, b] → [c, d]"),
    ],
)
def test_what_no_task_meets_of_the_network_waits(
    plan: Plan, network: Network, changes: dict[str, Any], told: str
) -> None:
    """It watches, it costs, it is MWAA's, or a task can do without it."""
    before, after = replace(plan, network=network), replace(plan, network=replace(network, **changes))

    assert needs.lacking(facts(before), facts(after), after) == []
    assert needs.waiting(facts(before), facts(after)) == [f"network: {told}"]


@pytest.mark.parametrize(
    ("network", "changes", "told"),
    [
        (CREATED, {"egress": "endpoints", "endpoints": ("logs",), "nat_gateways": 0}, "egress nat → endpoints"),
        (CREATED, {"zones": ("x", "y")}, "zones [] → [x, y]"),
        (SEALED, {"endpoints": ("glue", "logs")}, "endpoint glue is new"),
        (SEALED, {"trusted_accounts": ("111122223333",)}, "trusted account 111122223333 is new"),
        (EXISTING, {"vpc": "vpc-2"}, "vpc vpc-1 → vpc-2"),
        (EXISTING, {"private_subnets": ("a", "c")}, "task_subnets [a, b] → [a, c]"),
        (
            EXISTING,
            {"task_subnets": ("t",), "assign_public_ip": True},
            "assign_public_ip False → True, task_subnets [a, b] → [t]",
        ),
        (EXISTING, {"task_security_groups": ("sg-1",)}, "task_security_groups [] → [sg-1]"),
    ],
)
def test_what_a_task_meets_of_the_network_is_lacking(
    plan: Plan, network: Network, changes: dict[str, Any], told: str
) -> None:
    """Where it runs, as whom others see it, and each way that it may need."""
    before, after = replace(plan, network=network), replace(plan, network=replace(network, **changes))

    (missing,) = needs.lacking(facts(before), facts(after), after)
    assert missing == f"the network changed: {told}"


def test_naming_the_subnets_that_tasks_are_in_anyway_changes_nothing(plan: Plan) -> None:
    """Without any of their own they are in MWAA's."""
    before, after = (replace(plan, network=replace(EXISTING, task_subnets=subnets)) for subnets in ((), ("a", "b")))

    assert needs.lacking(facts(before), facts(after), after) == []
    assert needs.waiting(facts(before), facts(after)) == []


USED = UsedAirflow("team", "3.0.6", "team-dags", "dags", "team-role", None)
SELF_MANAGED = SelfManagedAirflow("3.0.6", "team-dags", "dags", None)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (USED, replace(USED, name="other"), "name team → other"),
        (USED, replace(USED, bucket="other"), "bucket team-dags → other"),
        (USED, replace(USED, dags="flows"), "dags dags → flows"),
        (USED, replace(USED, execution_role="other"), "execution_role team-role → other"),
        (USED, None, "one that exists (team) → one that Penstock creates (acme-dev)"),
        (None, USED, "one that Penstock creates (acme-dev) → one that exists (team)"),
        (USED, SELF_MANAGED, "one that exists (team) → a self-managed one"),
        (replace(SELF_MANAGED, bucket=None), SELF_MANAGED, "bucket nothing → team-dags"),
    ],
)
def test_dags_of_another_airflow_are_not_pushed_to_the_old_one(
    plan: Plan, before: UsedAirflow | None, after: UsedAirflow | None, told: str
) -> None:
    """Where the DAGs would go is where the last deploy put them. Nothing is asked of AWS before that is said."""
    old, new = (replace(plan, airflow=one or plan.airflow) for one in (before, after))
    place = ReleaseLocation("artifacts", "team-dags", "dags/acme-dev")
    deployed = Deployed(Account(plan.region), place, facts(old), None)
    push = prepare(deployed, new, facts(new), build_bundle(new, dags_folder=DAGS), Revision(), project=Path())

    assert push == Lacking((f"the Airflow that the DAGs go to changed: {told}",))


def test_another_version_of_an_airflow_that_exists_waits(plan: Plan) -> None:
    """The DAGs run on each; what it is, the environment says and not the project."""
    before, after = (replace(plan, airflow=replace(USED, version=version)) for version in ("3.0.6", "3.2.1"))

    assert needs.lacking(facts(before), facts(after), after) == []
    assert needs.waiting(facts(before), facts(after)) == ["airflow: version 3.0.6 → 3.2.1"]


def test_what_a_run_does_not_meet_of_a_definition_waits(plan: Plan) -> None:
    """The stack that it is in, the names of its roles, the reasons that a template has."""
    before = plan.task_definitions[0]
    before = replace(before, permissions=(Permission(("glue:GetTables",), ("*",), {}, "before"),))
    after = replace(before, stack="a", role_prefix="other", permissions=(replace(before.permissions[0], reason="now"),))
    rest = plan.task_definitions[1:]
    old, new = (replace(plan, task_definitions=(one, *rest)) for one in (before, after))

    assert needs.lacking(facts(old), facts(new), new) == []
    assert needs.waiting(facts(old), facts(new)) == [
        f"role prefix of task definition {before.family}",
        f"stack of task definition {before.family}",
        f"reasons of the permissions of task definition {before.family}",
    ]


CATALOG = "arn:aws:glue:eu-west-1:1:catalog"
TABLES = Permission(("glue:GetTables",), (CATALOG,), {}, "")
KEY = "arn:aws:kms:eu-west-1:1:key/k"


@pytest.mark.parametrize(
    ("changes", "told", "back"),
    [
        (
            {"permissions": (TABLES,)},
            f"permission glue:GetTables on {CATALOG} is new",
            f"permission glue:GetTables on {CATALOG} is left out",
        ),
        (
            {"permissions": (replace(TABLES, actions=("s3:Get*", "s3:List*"), conditions={"Bool": {"k": ["v"]}}),)},
            f"permission s3:Get* and 1 more on {CATALOG} under conditions is new",
            f"permission s3:Get* and 1 more on {CATALOG} under conditions is left out",
        ),
        ({"read_only_root": True}, "read only root False → True", "read only root True → False"),
        (
            {"runtime": False},
            "Penstock's runtime in the container True → False",
            "Penstock's runtime in the container False → True",
        ),
        ({"secret_kms_keys": (KEY,)}, f"key {KEY} is new", f"key {KEY} is left out"),
        ({"architecture": "arm64"}, "architecture x86_64 → arm64", "architecture arm64 → x86_64"),
    ],
)
def test_whatever_makes_a_definition_a_new_one_is_told(
    plan: Plan, changes: dict[str, Any], told: str, back: str
) -> None:
    """In both directions: what is taken back is another definition too."""
    first, *rest = plan.task_definitions
    other = replace(first, family="new", **changes)
    old, new = _with(plan, first, *rest), _with(plan, other, *rest)

    (missing,) = needs.lacking(facts(old), facts(new), new)
    assert missing.endswith(f"against {first.family}, which is: {told}")
    (missing,) = needs.lacking(facts(new), facts(old), old)
    assert missing.endswith(f"against new, which is: {back}")


def test_permissions_that_look_alike_in_a_few_words_are_told_apart(plan: Plan) -> None:
    """Only the first action is shown."""
    first, *rest = plan.task_definitions
    one, two = (replace(first, permissions=(replace(TABLES, actions=("s3:GetObject", more)),)) for more in ("a", "b"))
    old, new = _with(plan, one, *rest), _with(plan, replace(two, family="new"), *rest)

    (missing,) = needs.lacking(facts(old), facts(new), new)
    assert missing.endswith("which is: other permissions")


def test_an_image_that_is_named_is_another_definition_than_the_same_by_default(tmp_path: Path) -> None:
    """The name of its family is another one, and nothing else."""
    task = "- {name: load, meltano: tap-a target-b}"
    plain = "- {name: load, command: ls}"
    named = "- {name: load, command: ls, image: docker.getcollate.io/openmetadata/ingestion-base:1.12.14}"
    old, new = (compile_plan(loaded(tmp_path / str(n), (task, one))) for n, one in enumerate((plain, named)))
    (family,) = (definition.family for definition in old.task_definitions if definition.engine == "command")

    (missing,) = needs.lacking(facts(old), facts(new), new)
    assert missing.endswith(f"is not deployed: {family}, which is, holds the same under another name")


def _with(plan: Plan, *definitions: TaskDefinition) -> Plan:
    """The plan with these definitions, whose first one all tasks have that had the plan's first."""
    old, new = plan.task_definitions[0].family, definitions[0].family
    schedules = tuple(
        replace(
            schedule, tasks=tuple(replace(task, family=new) if task.family == old else task for task in schedule.tasks)
        )
        for schedule in plan.schedules
    )
    return replace(plan, task_definitions=definitions, schedules=schedules)


def test_a_new_definition_is_compared_with_the_nearest(plan: Plan) -> None:
    """So that the user reads what to take back, or what the deploy will add."""
    catalogue = next(definition for definition in plan.task_definitions if definition.engine == "openmetadata")
    new = replace(catalogue, family="new", secrets=(*catalogue.secrets[:1], Secret("SLACK", "ssm", "/slack")))
    (schedule,) = plan.schedules
    tasks = tuple(replace(task, family="new") if task.engine == "openmetadata" else task for task in schedule.tasks)
    other = replace(
        plan,
        task_definitions=tuple(new if definition is catalogue else definition for definition in plan.task_definitions),
        schedules=(replace(schedule, tasks=tasks),),
    )

    (missing,) = needs.lacking(facts(plan), facts(other), other)
    assert missing.startswith("task definition new, for daily.catalogue, is not deployed: against ")
    assert "secret SLACK is new" in missing
    assert f"secret {catalogue.secrets[1].name} is left out" in missing
    assert needs.waiting(facts(plan), facts(other)) == [f"task definition {catalogue.family} is no longer used"]


def test_an_image_that_is_built_of_other_files_is_another_image(plan: Plan) -> None:
    """A plugin added to the Meltano project is in no container before a deploy."""
    family = next(definition.family for definition in plan.task_definitions if definition.engine == "meltano")
    (missing,) = needs.lacking(facts(plan, images={family: "1" * 64}), facts(plan, images={family: "2" * 64}), plan)

    assert missing.endswith("changed: what the image is built from changed")


def test_the_hash_of_an_image_follows_what_goes_into_it(tmp_path: Path) -> None:
    """Names and contents; not what is left out of images."""
    one, two = tmp_path / "recipe", tmp_path / "project"
    for path, text in {"recipe/Dockerfile": "FROM a", "project/meltano.yml": "a: b", "project/x/.env": "S=1"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    before = image_context.digest(one, two)
    (two / "x" / ".env").write_text("S=2")
    (two / ".meltano").mkdir()
    (two / ".meltano" / "state").write_text("")
    (two / "output").mkdir()
    (two / "output" / "rows.jsonl").write_text("{}")
    assert image_context.digest(one, two) == before
    (two / "x" / "output").mkdir()
    (two / "x" / "output" / "__init__.py").write_text("")
    assert image_context.digest(one, two) != before
    (two / "x" / "output" / "__init__.py").unlink()
    assert image_context.digest(one, two) == before

    (two / "meltano.yml").rename(two / "x" / "meltano.yml")
    assert image_context.digest(one, two) != before


def test_what_the_hash_is_of_is_what_is_copied(tmp_path: Path) -> None:
    """The image and the push that asks for it follow one list."""
    folder = tmp_path / "project"
    for path in ("meltano.yml", "a/output/x.py", "a/.venv/x", "a/.env.prod", "output/x", "a/b/c.pyc", ".meltano/x"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    image_context.copy(folder, tmp_path / "copy")

    copied = {one.relative_to(tmp_path / "copy").as_posix() for one in (tmp_path / "copy").rglob("*") if one.is_file()}
    assert copied == {"meltano.yml", "a/output/x.py"}
    assert image_context.digest(tmp_path / "copy") == image_context.digest(folder)


def test_a_push_uploads_into_the_release_only(plan: Plan) -> None:
    """Nothing that Airflow reads changes before the switch."""
    bundle = build_bundle(plan, dags_folder=DAGS)
    keys = staged(bundle, "dags/acme-dev", plan.prefix)
    folder = f"dags/acme-dev/release/{bundle.release}"

    assert all(key.startswith(f"{folder}/") for key in keys)
    top = {f"{folder}/top/{name}" for name in (".airflowignore", "own.py", "schedules_00.py")}
    assert top <= keys.keys()
    # All but what hides the releases, which a deploy has put beside them.
    assert len(keys) == len(bundle.dags) - 1


def test_the_first_file_of_a_task_definition_waits_for_a_deploy(plan: Plan) -> None:
    """Its role may not read it yet. More files need no more, and a right that nobody needs does no harm."""
    given = replace(
        plan, task_definitions=tuple(replace(definition, files=True) for definition in plan.task_definitions)
    )

    first = needs.lacking(facts(plan), facts(given), given)

    assert len(first) == len(plan.task_definitions)
    assert first[0].endswith("changed: the right to read files of the project False → True")
    assert needs.lacking(facts(given), facts(given), given) == []
    assert needs.lacking(facts(given), facts(plan), plan) == []
