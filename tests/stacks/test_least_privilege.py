"""Each role can do what it is for, and nothing else."""

from __future__ import annotations

import dataclasses
import json
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path

import aws_cdk as cdk
import pytest

from penstock.compile.role_size import FRAME
from stacks.ingestion.run_grant import run_statements
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates

ECS = f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}"
CLUSTER = f"{ECS}:cluster/acme-dev"
TASKS = f"{ECS}:task/acme-dev/*"


def airflow_role(templates: Templates) -> list[dict[str, object]]:
    return statements.of_role(templates["acme-dev-airflow"], "ExecutionRole")


def test_no_ecs_or_pass_role_statement_is_for_any_resource(templates: Templates) -> None:
    """`"Resource": "*"` is in no statement that starts, stops or reads tasks, or hands a role over.

    AWS knows no resource for listing tasks: there the condition names the cluster.
    """
    sensitive = [
        one
        for one in statements.everywhere(templates)
        if any(action.startswith("ecs:") or action == "iam:PassRole" for action in one["Action"])
        and not (one["Action"] == ["ecs:ListTasks"] and one["Condition"] == {"ArnEquals": {"ecs:cluster": CLUSTER}})
    ]

    assert sensitive
    assert [one for one in sensitive if "*" in one["Resource"] or "NotResource" in one] == []


def test_the_reaper_lists_reads_and_stops_tasks_of_its_cluster_only(templates: Templates) -> None:
    """It starts none, reads nothing of a task's beside ECS, and hands no role over."""
    role = statements.of_role_at(templates["acme-dev-observability"], "ReaperRole")
    (tasks,) = statements.that_allow(role, "ecs:StopTask")

    assert (set(tasks["Action"]), tasks["Resource"]) == ({"ecs:DescribeTasks", "ecs:StopTask"}, [TASKS])
    assert {action.partition(":")[0] for one in role for action in one["Action"]} == {"ecs", "kms", "logs", "sns"}
    assert {action for one in role for action in one["Action"] if action.startswith("ecs:")} == {
        "ecs:ListTasks", "ecs:DescribeTasks", "ecs:StopTask",
    }  # fmt: skip


def test_airflow_runs_the_families_of_the_plan_on_its_cluster_only(templates: Templates) -> None:
    """RunTask is for the families of the plan's three engines, at any revision, if the cluster is the plan's."""
    (run,) = statements.that_allow(airflow_role(templates), "ecs:RunTask")

    families = {f"acme-dev-{engine}-????????" for engine in ("openmetadata", "meltano", "command")}
    assert all(
        any(fnmatch(definition.family, family) for family in families) for definition in plans.PLAN.task_definitions
    )
    assert set(run["Resource"]) == {f"{ECS}:task-definition/{family}:*" for family in families}
    assert run["Condition"] == {"ArnEquals": {"ecs:cluster": CLUSTER}}
    assert run["Action"] == ["ecs:RunTask"]


def test_airflow_watches_and_stops_tasks_of_its_cluster_only(templates: Templates) -> None:
    """DescribeTasks and StopTask are for tasks of the cluster; beside RunTask, nothing else of ECS."""
    role = airflow_role(templates)
    (watch,) = statements.that_allow(role, "ecs:DescribeTasks")

    assert (set(watch["Action"]), watch["Resource"]) == ({"ecs:DescribeTasks", "ecs:StopTask"}, [TASKS])
    ecs = {action for one in role for action in one["Action"] if action.startswith("ecs:")}
    assert ecs == {"ecs:RunTask", "ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource", "ecs:ListTasks"}


def test_airflow_lists_the_tasks_of_its_cluster_only(templates: Templates) -> None:
    """A try looks for what earlier tries left; on its own cluster."""
    (find,) = statements.that_allow(airflow_role(templates), "ecs:ListTasks")

    assert (find["Action"], find["Resource"]) == (["ecs:ListTasks"], ["*"])
    assert find["Condition"] == {"ArnEquals": {"ecs:cluster": CLUSTER}}


def test_airflow_tags_a_task_as_it_starts_it_and_never_again(templates: Templates) -> None:
    """RunTask copies the tags of the task definition; a task that runs cannot be given others."""
    (tag,) = statements.that_allow(airflow_role(templates), "ecs:TagResource")

    assert tag["Resource"] == [TASKS]
    assert tag["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}


def test_airflow_hands_over_the_roles_of_the_plan_to_ecs_only(templates: Templates) -> None:
    """PassRole is for the two roles of each definition, and only to ecs-tasks."""
    (hand_over,) = statements.that_allow(airflow_role(templates), "iam:PassRole")

    role = f"arn:aws:iam::{plans.ACCOUNT}:role/acme-dev-"
    assert set(hand_over["Resource"]) == {f"{role}????????-task", f"{role}????????-exec"}
    assert all(
        fnmatch(f"{definition.role_prefix}-", "acme-dev-????????-") for definition in plans.PLAN.task_definitions
    )
    assert hand_over["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_airflow_reads_the_logs_of_our_containers(templates: Templates) -> None:
    """Besides MWAA's own log groups, only streams that our containers write, and only by reading."""
    own = [
        one
        for one in airflow_role(templates)
        if any(resource.endswith(":log-group:/penstock/acme-dev:log-stream:penstock/*") for resource in one["Resource"])
    ]

    assert [one["Action"] for one in own] == [["logs:GetLogEvents"]]


def test_airflow_gets_no_secret(templates: Templates) -> None:
    """The role that DAG authors act with reads no secret and no parameter."""
    actions = {action for one in airflow_role(templates) for action in one["Action"]}

    assert not [action for action in actions if action.startswith(("secretsmanager:", "ssm:"))]


def test_each_execution_role_reads_its_own_secrets(templates: Templates) -> None:
    """A definition's execution role reads exactly the secrets of that definition: one that goes by its name by its full
    and by its partial ARN, one that goes by its ARN by that alone."""
    by_name = ("-??????", "")
    secret = f"arn:aws:secretsmanager:{plans.REGION}:{plans.ACCOUNT}:secret:"
    expected = {
        plans.OPENMETADATA: {
            *(f"{secret}acme/openmetadata{end}" for end in by_name),
            *(f"{secret}acme/warehouse{end}" for end in by_name),
        },
        plans.MELTANO: {
            *(f"{secret}acme/warehouse{end}" for end in by_name),
            f"{secret}other-AbCdEf",
            f"arn:aws:ssm:{plans.REGION}:{plans.ACCOUNT}:parameter/acme/slack",
        },
        plans.COMMAND: set(),
    }
    for definition, resources in expected.items():
        role = statements.of_role(templates["acme-dev-airflow"], f"{definition.role_prefix}-exec")
        readable = statements.that_allow(role, "secretsmanager:GetSecretValue")
        readable += statements.that_allow(role, "ssm:GetParameters")
        assert {resource for one in readable for resource in one["Resource"]} == resources, definition.family


def test_an_execution_role_leaves_the_secrets_the_room_that_is_counted_on(templates: Templates) -> None:
    """What else it may do is within `FRAME`, however long the names: the check of its size reckons with that."""
    for definition in plans.PLAN.task_definitions:
        role = statements.of_role(templates["acme-dev-airflow"], f"{definition.role_prefix}-exec")
        rest = [one for one in role if one["Action"][0] not in ("secretsmanager:GetSecretValue", "ssm:GetParameters")]
        assert len(json.dumps(rest, separators=(",", ":"))) < FRAME - 300, definition.family


def test_an_execution_role_pulls_from_ecr_only_where_its_image_is(templates: Templates) -> None:
    """The image of Meltano is in ECR, the others are not: one repository, and the log-in that knows no resource."""
    ecr = {
        definition.family: [
            one
            for one in statements.of_role(templates["acme-dev-airflow"], f"{definition.role_prefix}-exec")
            if one["Action"][0].startswith("ecr:")
        ]
        for definition in plans.PLAN.task_definitions
    }

    assert ecr[plans.OPENMETADATA.family] == ecr[plans.COMMAND.family] == []
    pull, log_in = ecr[plans.MELTANO.family]
    assert pull["Resource"] == [f"arn:aws:ecr:{plans.REGION}:{plans.ACCOUNT}:repository/acme/meltano"]
    assert log_in["Action"] == ["ecr:GetAuthorizationToken"]


def test_a_task_role_fetches_artifacts_and_meltano_keeps_its_state(templates: Templates) -> None:
    """Every task reads the runtime, OpenMetadata's its configs; only Meltano's writes, and only state."""
    template = templates["acme-dev-airflow"]
    actions = {
        definition.engine: {
            (action, resource.rsplit("/", 2)[-2])
            for one in statements.of_role(template, f"{definition.role_prefix}-task")
            for action in one["Action"]
            if action != "s3:ListBucket"
            for resource in one["Resource"]
        }
        for definition in plans.PLAN.task_definitions
    }

    fetch, config = {("s3:GetObject", "runtime")}, {("s3:GetObject", "configs")}
    keep = {(f"s3:{verb}Object", "state") for verb in ("Get", "Put", "Delete")}
    assert actions == {"openmetadata": fetch | config, "command": fetch, "meltano": fetch | keep}
    (listing,) = statements.that_allow(
        statements.of_role(template, f"{plans.MELTANO.role_prefix}-task"), "s3:ListBucket"
    )
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["state", "state/*"]}}


def test_a_state_backend_of_the_project_is_neither_set_nor_granted(tmp_path: Path) -> None:
    """An environment variable would win over `meltano.yml`; what its tasks may do in its bucket the project says."""
    own = dataclasses.replace(plans.MELTANO, meltano_state="s3://acme-state/prod")
    changed = dataclasses.replace(plans.PLAN, task_definitions=(plans.OPENMETADATA, own, plans.COMMAND))
    template = plans.synthesize(changed, tmp_path)["acme-dev-airflow"]
    (definition,) = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ECS::TaskDefinition" and resource["Properties"]["Family"] == own.family
    ]
    names = {one["Name"] for one in definition["ContainerDefinitions"][0]["Environment"]}
    allowed = {action for one in statements.of_role(template, f"{own.role_prefix}-task") for action in one["Action"]}

    assert "MELTANO_STATE_BACKEND_URI" not in names
    assert allowed == {"s3:GetObject"}


@pytest.mark.parametrize("count", [1, 21, 100])
def test_the_right_to_run_them_fits_into_one_policy(tmp_path: Path, count: int) -> None:
    """However many definitions there are, the grant has room beside others, in a managed policy of 6,144 characters."""
    many = tuple(
        dataclasses.replace(plans.COMMAND, family=f"acme-dev-command-{n:06x}", role_prefix=f"acme-dev-{n:08x}")
        for n in range(count)
    )
    plan = dataclasses.replace(plans.PLAN, task_definitions=many)
    stack = cdk.Stack(plans.application(tmp_path), "s", env=cdk.Environment(account=plans.ACCOUNT, region=plans.REGION))
    granted = [one.to_statement_json() for some in run_statements(stack, plan).values() for one in some]

    assert len(json.dumps(stack.resolve(granted), separators=(",", ":"))) < 6_144 - 500
    runs, hands_over = (stack.resolve(granted[index])["Resource"] for index in (0, 1))
    for one in many:
        assert any(fnmatch(f"{ECS}:task-definition/{one.family}:3", resource) for resource in runs)
        for kind in ("task", "exec"):
            arn = f"arn:aws:iam::{plans.ACCOUNT}:role/{one.role_prefix}-{kind}"
            assert any(fnmatch(arn, resource) for resource in hands_over)


@pytest.mark.parametrize(
    "stranger",
    [
        "acme-dev-x-command-00000a00",
        "acme-dev-command-command-00000a00",
        "acme-development-command-00000a00",
        "acme-dev-x",
    ],
)
def test_patterns_fit_no_other_environment(tmp_path: Path, stranger: str) -> None:
    """Where families are given as patterns, those of an environment whose name begins alike are not among them."""
    many = tuple(
        dataclasses.replace(plans.COMMAND, family=f"acme-dev-command-{n:06x}", role_prefix=f"acme-dev-{n:08x}")
        for n in range(30)
    )
    stack = cdk.Stack(plans.application(tmp_path), "s", env=cdk.Environment(account=plans.ACCOUNT, region=plans.REGION))
    run, hand_over = next(iter(run_statements(stack, dataclasses.replace(plans.PLAN, task_definitions=many)).values()))
    roles = [f"arn:aws:iam::{plans.ACCOUNT}:role/acme-dev-x-0000000a-{kind}" for kind in ("task", "exec")]

    assert not any(fnmatch(f"{ECS}:task-definition/{stranger}:1", one) for one in stack.resolve(run.resources))
    assert not any(fnmatch(role, one) for role in roles for one in stack.resolve(hand_over.resources))
