"""Images, logs, roles, tags and permissions: what a project may say of them, and what comes of it in the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.compile.task_definitions import MOST_IN_ONE_STACK
from penstock.project.environments import prefix_of
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Ecs, Plan
from penstock_runtime.plan.task_definition import Permission
from tests.unit.project_edits import CACHE_SECRET, CATALOGUE, MIRROR, command, permission, plan_of, task, top
from tests.unit.project_files import errors, loaded, write

HERE = "¦"
"""In a mistake: right behind it is where the error must point."""
TOP = ("schedules:\n", "{}\nschedules:\n")
GLUE = "{actions: ['glue:Get*'], resources: ['arn:aws:glue:eu-west-1:111122223333:catalog']}"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-0000-0000-000000000000"
OTHER_SECRET = CACHE_SECRET.replace("ecr-pullthroughcache", "hub")


MISTAKES = {
    # name: (edit, part of what, part of fix)
    "insights": (top("ecs: {container_insights: ¦on}"), "container_insights", "'enabled'"),
    "stop timeout": (top("ecs: {stop_timeout_seconds: ¦121}"), "must be at most 120, not 121", "at most 120"),
    "short stop timeout": (top("ecs: {stop_timeout_seconds: ¦1}"), "must be at least 2, not 1", "at least 2"),
    "reaper": (top("ecs: {reaper: ¦5}"), "'reaper' of ecs must be", "true or false"),
    "size of /tmp": (top("ecs: {tmp_mib: ¦8}"), "must be at least 16, not 8", "at least 16"),
    "storage": (task("ephemeral_storage_gib: ¦201"), "must be at most 200, not 201", "at most 200"),
    "read-only Meltano": (task("read_only_root: ¦true"), "Meltano writes beside its project", "remove"),
    "retention": (top("logs: {retention_days: ¦10}"), "'retention_days' of logs must be 1, 3, 5, 7, 14, 30", "3653"),
    "mode": (top("logs: {mode: ¦lossy}"), "'mode' of logs must be 'blocking' or 'non-blocking'", "use 'blocking'"),
    "buffer without its mode": (top("logs: {max_buffer_mib: ¦20}"), "only where mode is non-blocking", "remove it"),
    "large buffer": (top("logs: {mode: non-blocking, max_buffer_mib: ¦257}"), "must be at most 256", "at most 256"),
    "alias of a key": (top("logs: {kms_key: ¦alias/mine}"), "must be the ARN of a KMS key", "arn:aws:kms:"),
    "key elsewhere": (
        top(f"logs: {{kms_key: '{KEY.replace('eu-west-1', 'eu-west-2')}'}}"),
        "kms_key is in eu-west-2, and this environment in eu-",
        "name one in eu-",
    ),
    "boundary": (top("iam: {permissions_boundary: ¦my-policy}"), "must be the ARN of a policy", "arn:aws:iam::"),
    "boundary without a name": (
        top("iam: {permissions_boundary: ¦'arn:aws:iam::111122223333:policy/data/'}"),
        "must be the ARN of a policy",
        "policy/<name>",
    ),
    "path": (top("iam: {role_path: ¦penstock}"), "begins and ends with /", "/data/"),
    "role names": (top(f"iam: {{role_name_prefix: ¦{'x' * 17}}}"), "at most 16 characters", "16"),
    "qualifier": (top("iam: {bootstrap_qualifier: ¦eleven-long}"), "a qualifier of CDK's bootstrap", "1 to 10"),
    "tag of AWS": (top("tags: {¦'AWS:x': y}"), "prefix that is not yours", "rename"),
    "tag of ours": (top("tags: {¦'penstock:project': y}"), "prefix that is not yours", "rename"),
    "one tag twice": (top("tags: {Owner: a, team: b, ¦OWNER: c}"), "'Owner' and 'OWNER' differ", "keep one"),
    "one tag twice, beyond ASCII": (top("tags: {état: a, ¦ÉTAT: b}"), "differ in capitals only", "keep one"),
    "long key": (top(f"tags: {{¦{'k' * 129}: y}}"), "cannot be a tag's key", "1 to 128"),
    "odd key": (top("tags: {¦'a&b': y}"), "cannot be a tag's key", "letters"),
    "long tag": (top(f"tags: {{k: ¦{'v' * 257}}}"), "is none that AWS takes", "1 to 256"),
    "empty tag": (top("tags: {team: ¦''}"), "the value of tag 'team' is none", "1 to 256"),
    "many tags": (top(f"tags: ¦{{{', '.join(f'k{n}: v' for n in range(41))}}}"), "41 tags are too many", "at most 40"),
    "tag and digest": (
        top(f"images: {{openmetadata: {{tag: '1', digest: ¦'sha256:{'0' * 64}'}}}}"),
        "both a tag and a digest",
        "keep one",
    ),
    "digest": (top("images: {openmetadata: {digest: ¦'sha256:00'}}"), "must be the digest of an", "64 hex digits"),
    "tag in the repository": (top("images: {openmetadata: {repository: ¦'a.io/b:1'}}"), "holds a tag", "tag: "),
    "mirror elsewhere": (top("images: {command: {mirror: ¦registry.acme.io}}"), "must be an ECR registry", ".dkr.ecr."),
    "two ways": (
        top(f"images: {{command: {{mirror: '{MIRROR}', credentials: ¦PASSWORD}}}}"),
        "mirror and credentials, which exclude each other",
        "keep one",
    ),
    "images of a built Meltano": (top(f"images: {{meltano: ¦{{mirror: '{MIRROR}'}}}}"), "image is built", "remove"),
    "unknown log-in": (top("images: {command: {credentials: ¦NOPE}}"), "there is no secret 'NOPE'", "use one of"),
    "part of a secret": (
        top("images: {command: {credentials: ¦PASSWORD}}"),
        "cannot be the log-in of a registry",
        "username and password",
    ),
    "space in an image": (command("image: ¦'a b'"), "'a b' is not the name of an image", "[registry/]name[:tag]"),
    "capitals in an image": (command("image: ¦'Acme/Case:1'"), "has capital letters", "write 'acme/case'"),
    "capitals in front": (command("image: ¦'UPPER/case:1'"), "has capital letters", "write 'upper/case'"),
    "short digest": (command("image: ¦'x@sha256:12'"), "digest of the image 'x@sha256:12' is none", "64 hex digits"),
    "other digest": (command(f"image: ¦'x@sha512:{'0' * 64}'"), "the digest of the image", "@sha256:"),
    "address of an image": (command("image: ¦'https://ghcr.io/a/b:1'"), "is an address", "without https://"),
    "empty tag of an image": (command("image: ¦'a/b:'"), "the tag of the image 'a/b:' is none", "1 to 128"),
    "long image": (command(f"image: ¦'{'a' * 256}'"), "has 256 characters, and ECS takes 255", "shorten"),
    "slash at the end": (command("image: ¦'ghcr.io/a/'"), "is not the name of an image", "[registry/]name[:tag]"),
    "image of Meltano": (
        ("environment: prod}", "environment: prod, image: ¦'registry.acme.io/Meltano'}"),
        "has capital letters",
        "write 'registry.acme.io/meltano'",
    ),
    "image of OpenMetadata": (
        top("images: {openmetadata: {repository: ¦registry.acme.io/OpenMetadata}}"),
        "has capital letters",
        "'registry.acme.io/openmetadata'",
    ),
    "registry without a cache": (
        top("images: {command: {pull_through: {upstream: ¦registry.acme.io}}}"),
        "does not know the registry 'registry.acme.io'",
        "mirror: …",
    ),
    "Docker Hub without a log-in": (
        top("images: {command: {pull_through: {upstream: ¦docker.io}}}"),
        "docker.io needs a log-in",
        "ecr-pullthroughcache/",
    ),
    "log-in of another name": (
        top(f"images: {{command: {{pull_through: {{upstream: docker.io, credentials: ¦'{OTHER_SECRET}'}}}}}}"),
        "must be the full ARN of a secret whose name starts with ecr-pullthroughcache/",
        "ecr-pullthroughcache/<name>",
    ),
    "rule that exists": (
        top("images: {command: {pull_through: ¦{upstream: quay.io, create: false}}}"),
        "has a prefix",
        "prefix: …",
    ),
    "long prefix": (
        top(f"images: {{command: {{pull_through: {{upstream: quay.io, prefix: ¦{'p' * 31}}}}}}}"),
        "at most 30 characters",
        "30",
    ),
    "OpenMetadata's registry has no cache": (
        top("images: {openmetadata: ¦{pull_through: {upstream: quay.io}}}"),
        "is not in quay.io",
        "repository:",
    ),
    "no action": (permission("{actions: [¦GetTables], resources: ['*'], reason: x}"), "not an action", "glue:Get"),
    "every action": (permission("{actions: [¦'glue:*'], resources: ['*'], reason: x}"), "action of glue", "glue:Get*"),
    "every action of S3": (
        permission("{actions: [¦'s3:*'], resources: ['arn:aws:s3:::lake/*']}"), "does not grant it", "s3:GetObject"
    ),
    "every action there is": (permission("{actions: [¦'*'], resources: ['*'], reason: x}"), "every service", "glue:"),
    "a wildcard in the middle": (
        permission("{actions: [¦'s3:Get*Acl'], resources: ['arn:aws:s3:::lake/*']}"), "wildcard anywhere", "start"
    ),
    "no resource": (permission("{actions: [s3:GetObject], resources: [¦bucket]}"), "'bucket' is not an ARN", "arn:"),
    "anything without a reason": (
        permission("{actions: ['glue:GetTables'], resources: [¦'*']}"),
        "for any resource (*) has no reason",
        "reason: …",
    ),
    "every bucket without a reason": (
        permission("{actions: ['s3:GetObject'], resources: [¦'arn:aws:s3:::*']}"),
        "has no reason",
        "name the resources",
    ),
    "any role": (
        permission("{actions: ['iam:PassRole'], resources: [¦'arn:aws:iam::111122223333:role/*'], reason: x}"),
        "iam actions on any resource",
        "name the resources",
    ),
    "any session": (
        permission("{actions: ['sts:AssumeRole'], resources: [¦'*'], reason: x}"),
        "sts actions on any resource",
        "name the resources",
    ),
    "unknown variable": (
        permission("{actions: ['s3:GetObject'], resources: [¦'arn:aws:s3:::${BUCKET}/*']}"),
        "there is no variable 'BUCKET'",
        "HOST",
    ),
    "operator": (
        permission(f"{GLUE[:-1]}, conditions: {{StringEqual: ¦{{'aws:RequestedRegion': a}}}}}}"),
        "'StringEqual' is not a condition operator",
        "'StringEquals'",
    ),
    "condition key": (
        permission(f"{GLUE[:-1]}, conditions: {{StringEquals: {{region: ¦a}}}}}}"),
        "'region' is not a condition key",
        "aws:RequestedRegion",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_told_with_its_place_and_fix(tmp_path: Path, edit: tuple[str, str], what: str, fix: str) -> None:
    """At the very character."""
    old, new = edit
    path = write(tmp_path, (old, new.replace(HERE, "")))
    problems = errors(path)
    if HERE in new:
        marked = write(tmp_path / "marked", (old, new)).read_text()
        line, column = _place(marked, HERE)
        problems = [one for one in problems if one[0] == f"penstock.yaml:{line}:{column}"]
    assert any(what in said and fix in mend for _, said, mend in problems), errors(path)


def _place(text: str, mark: str) -> tuple[int, int]:
    before = text.partition(mark)[0]
    return before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


@pytest.mark.parametrize(
    ("project", "environment", "prefix"),
    [("acme", "dev", "acme-dev"), ("acme-prod", "eu", "acme-prod-eu"), ("acme", "prod-eu", "acme--prod-eu")],
)
def test_prefix_is_of_one_project_and_environment(project: str, environment: str, prefix: str) -> None:
    """Where two could read alike, dashes tell them apart."""
    assert prefix_of(project, environment) == prefix


def test_settings_reach_the_plan(tmp_path: Path) -> None:
    """Each unchanged; the prefix of role names is in each role's name."""
    text = (
        "ecs: {container_insights: enhanced, stop_timeout_seconds: 30, tmp_mib: 64, reaper: false}\n"
        "logs: {retention_days: 7, mode: non-blocking, max_buffer_mib: 25}\n"
        "iam: {permissions_boundary: 'arn:aws:iam::111122223333:policy/limit',\n"
        "      role_path: /data/, role_name_prefix: dp-}\n"
        "tags: {team: data, 'cost center': '42'}"
    )
    plan = plan_of(tmp_path, top(text))

    assert plan.ecs == Ecs("enhanced", stop_timeout_seconds=30, tmp_mib=64, reaper=False)
    assert (plan.log_retention_days, plan.logs.mode, plan.logs.max_buffer_mib) == (7, "non-blocking", 25)
    assert (plan.iam.role_path, plan.iam.permissions_boundary) == ("/data/", "arn:aws:iam::111122223333:policy/limit")
    assert plan.tags == {"team": "data", "cost center": "42"}
    assert all(definition.role_prefix.startswith("dp-acme-dev-") for definition in plan.task_definitions)
    assert Plan.from_json(plan.to_json()) == plan


def test_longest_names_of_roles_fit(tmp_path: Path) -> None:
    """Project, environment and prefix at their longest: IAM takes 64 characters."""
    edits = [("name: acme", "name: " + "p" * 20), ("  prod:", "  eeeeee-eeeee:")]
    plan = compile_plan(loaded(tmp_path, *edits, top(f"iam: {{role_name_prefix: {'x' * 16}}}")), "eeeeee-eeeee")

    assert max(len(f"{definition.role_prefix}-task") for definition in plan.task_definitions) <= 64


def test_a_tag_of_an_environment_is_the_same_in_other_capitals(tmp_path: Path) -> None:
    """IAM sees both, merged: the error is at the environment's, and not there where it has the same spelling."""
    dev, common = ("dev: {", "dev: {tags: {owner: dev}, "), top("tags: {Owner: all}")
    (problem,) = errors(write(tmp_path / "a", dev, common))
    same = loaded(tmp_path / "b", ("dev: {", "dev: {tags: {Owner: dev}, "), common)

    assert problem == (
        "penstock.yaml:3:16",
        "tags 'Owner' and 'owner' differ in capitals only, and a role takes one of them",
        "keep one; an environment that gives it another value writes 'Owner' too",
    )
    assert same.settings("dev").tags == {"Owner": "dev"}


SMALL = command("read_only_root: true, cpu_units: 256, memory_mib: 512")


def test_tmp_leaves_something_of_the_memory(tmp_path: Path) -> None:
    """A full /tmp would be the end of the task; what is not read-only has no such /tmp."""
    large = top("ecs: {tmp_mib: 4096}")
    (problem,) = errors(write(tmp_path / "a", SMALL, large))
    both = errors(write(tmp_path / "b", SMALL, top(f"ecs: {{tmp_mib: 500}}\n{LOSSY.format(100)}")))

    assert problem[0] == "penstock.yaml:25:16"
    assert problem[1] == "task 'x' has 512 MiB of memory, and /tmp (4096 MiB) can fill all of it"
    assert problem[2] == "use less than 512, or raise the task's memory_mib"
    assert both[0][2] == "use less than 412, or raise the task's memory_mib"
    assert loaded(tmp_path / "c", command("cpu_units: 256, memory_mib: 512"), large)


LOSSY = "logs: {{mode: non-blocking, max_buffer_mib: {}}}"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (LOSSY.format(255), None),
        (LOSSY.format(256), "the log's buffer (256 MiB) may take half or more: lower logs.max_buffer_mib"),
        ("ecs: {tmp_mib: 255}", None),
        ("ecs: {tmp_mib: 256}", None),
    ],
)
def test_buffer_of_the_log_is_the_tasks_memory(tmp_path: Path, more: str, told: str | None) -> None:
    """It works, and may be unintended: a warning with the place, where half of the memory is spoken for."""
    plan = plan_of(tmp_path, command("cpu_units: 256, memory_mib: 512"), top(more))
    warnings = [warning for warning in plan.warnings if "MiB of memory" in warning]

    assert len(warnings) == (told is not None)
    assert told is None or (told in warnings[0] and warnings[0].startswith("penstock.yaml:25:44: task 'x' has 512 MiB"))


def test_one_warning_for_all_tasks_that_are_tight(tmp_path: Path) -> None:
    """It names the smallest, and says how many more."""
    plan = plan_of(tmp_path, ("task: {cpu_units", "task: {read_only_root: true, cpu_units"), top("ecs: {tmp_mib: 600}"))
    tight = plan_of(tmp_path / "b", SMALL, top(f"ecs: {{tmp_mib: 128}}\n{LOSSY.format(200)}"))

    assert [warning.partition(": ")[2] for warning in plan.warnings if "MiB of memory" in warning] == [
        "task 'catalogue' has 1024 MiB of memory, of which /tmp (600 MiB) may take half or more: "
        "lower ecs.tmp_mib, or raise its memory_mib"
    ]
    assert [
        warning
        for warning in tight.warnings
        if "/tmp (128 MiB) and the log's buffer (200 MiB) may take half" in warning
    ]


def test_permissions_keep_roles_apart(tmp_path: Path) -> None:
    """A task with permissions has a task definition, and so a role, of its own; the other tasks keep theirs."""
    before = plan_of(tmp_path / "a", command("image: x"))
    plan = plan_of(tmp_path / "b", command(f"image: x, permissions: [{GLUE}]"))
    other = plan_of(tmp_path / "c", command(f"image: x, permissions: [{GLUE.replace('Get*', 'GetTables')}]"))
    (own,) = [definition for definition in plan.task_definitions if definition.engine == "command"]
    (without,) = [definition for definition in before.task_definitions if definition.engine == "command"]
    (differing,) = [definition for definition in other.task_definitions if definition.engine == "command"]

    assert own.permissions == (Permission(("glue:Get*",), ("arn:aws:glue:eu-west-1:111122223333:catalog",), {}, ""),)
    assert len({one.family for one in (own, without, differing)}) == 3
    assert len({one.role_prefix for one in (own, without, differing)}) == 3
    rest = {definition.family for definition in before.task_definitions} - {without.family}
    assert rest < {definition.family for definition in plan.task_definitions}


def test_permissions_of_job_task_and_meltano_add_up(tmp_path: Path) -> None:
    """Meltano's are for Meltano's tasks, the job's for all of its tasks; variables are filled."""
    bucket = "{actions: ['s3:GetObject'], resources: ['arn:aws:s3:::${HOST}/*']}"
    edits = (
        ("environment: prod}", f"environment: prod, permissions: [{GLUE}]}}"),
        ("  warehouse:\n", f"  warehouse:\n    permissions: [{bucket}]\n"),
        task("permissions: [{actions: ['athena:Get*'], resources: ['*'], reason: knows none}]"),
    )  # fmt: skip
    permissions = {
        definition.engine: definition.permissions for definition in plan_of(tmp_path, *edits).task_definitions
    }

    assert [one.actions[0] for one in permissions["meltano"]] == ["glue:Get*", "s3:GetObject", "athena:Get*"]
    assert [one.resources for one in permissions["openmetadata"]] == [("arn:aws:s3:::dev.acme.internal/*",)]
    assert permissions["meltano"][2].reason == "knows none"


def test_permissions_that_no_role_has_room_for(tmp_path: Path) -> None:
    """A role's inline policies have 10,240 characters together."""
    arns = ", ".join(f"'arn:aws:s3:::{'b' * 60}-{number}/*'" for number in range(100))
    problems = errors(write(tmp_path, permission(f"{{actions: ['s3:GetObject'], resources: [{arns}]}}")))

    assert ["more than its role has room for" in what for _, what, _ in problems] == [True]


def test_read_only_root_leaves_meltano_out(tmp_path: Path) -> None:
    """As a default it is for those that can do with it."""
    plan = plan_of(tmp_path, ("task: {cpu_units", "task: {read_only_root: true, cpu_units"))

    assert {definition.engine: definition.read_only_root for definition in plan.task_definitions} == {
        "openmetadata": True,
        "meltano": False,
    }


def _many(folder: Path, count: int) -> Plan:
    """A plan with that many task definitions of plain commands, each with an image of its own."""
    tasks = "".join(f"      - {{name: t{n}, command: ls, image: 'acme/t:{n}', after: []}}\n" for n in range(count))
    return plan_of(folder, (CATALOGUE, tasks + CATALOGUE))


def test_adding_a_definition_moves_no_other(tmp_path: Path) -> None:
    """Few are in one stack; many are spread by their names, and stay where they are as more are added."""
    few, many = _many(tmp_path / "few", 20), _many(tmp_path / "many", MOST_IN_ONE_STACK + 1)
    more = _many(tmp_path / "more", MOST_IN_ONE_STACK + 60)
    where, then = (
        {definition.family: (definition.stack, definition.role_prefix) for definition in plan.task_definitions}
        for plan in (many, more)
    )

    assert {definition.stack for definition in few.task_definitions} == {None}
    assert len({stack for stack, _ in where.values()}) == 16
    assert {family: then[family] for family in where} == where


def test_roles_get_other_names_where_their_definitions_move(tmp_path: Path) -> None:
    """When a project outgrows one stack, old and new roles are there at the same time, and families stay."""
    few, many = _many(tmp_path / "few", 20), _many(tmp_path / "many", MOST_IN_ONE_STACK + 1)
    before, after = (
        {definition.family: definition.role_prefix for definition in plan.task_definitions} for plan in (few, many)
    )

    assert before.keys() < after.keys()
    assert not set(before.values()) & set(after.values())


def test_more_than_all_stacks_take_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fix, and not CloudFormation's refusal after minutes."""
    monkeypatch.setattr("penstock.compile.task_definitions.MOST_IN_A_SPREAD_STACK", 5)
    with pytest.raises(InputError, match="more than fit into the stacks"):
        _many(tmp_path, MOST_IN_ONE_STACK + 1)


def test_many_roles_are_told_of(tmp_path: Path) -> None:
    """An account has room for 1,000 roles unless its quota is raised."""
    assert not any("roles" in warning for warning in _many(tmp_path / "a", 449 - 3).warnings)
    assert any("an account has room for 1000" in warning for warning in _many(tmp_path / "b", 460).warnings)
