"""Where images come from: stock, mirror, pull-through cache, private registry; and what may be their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.ecs.image_names import wrong_reference
from penstock.project.load import load
from penstock_runtime.plan.task_definition import Image, PullThrough
from tests.unit.project_edits import CACHE_SECRET, MIRROR, ONE_REGION, TWO_ACCOUNTS, command, image_of, plan_of, top
from tests.unit.project_files import errors, loaded, write

TOP = ("schedules:\n", "{}\nschedules:\n")


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ("{tag: 1.12.14-slim}", "docker.getcollate.io/openmetadata/ingestion-base:1.12.14-slim"),
        (f"{{digest: 'sha256:{'0' * 64}'}}", f"docker.getcollate.io/openmetadata/ingestion-base@sha256:{'0' * 64}"),
        (f"{{mirror: {MIRROR}}}", f"{MIRROR}/openmetadata/ingestion-base:1.12.14"),
        ("{repository: registry.acme.io/om}", "registry.acme.io/om:1.12.14"),
    ],
    ids=["tag", "digest", "mirror", "repository"],
)
def test_stock_image_comes_from_where_the_project_says(tmp_path: Path, images: str, expected: str) -> None:
    """And the family stays what it was: an image of the engine's own may be replaced."""
    before, plan = plan_of(tmp_path / "a"), plan_of(tmp_path / "b", top(f"images: {{openmetadata: {images}}}"))

    assert image_of(plan, "openmetadata") == Image("registry", expected)
    assert [definition.family for definition in plan.task_definitions] == [
        definition.family for definition in before.task_definitions
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("python:3.12", "hub/library/python:3.12"),
        ("acme/x:7", "hub/acme/x:7"),
        (f"docker.io/acme/x@sha256:{'0' * 64}", f"hub/acme/x@sha256:{'0' * 64}"),
    ],
)
def test_command_is_pulled_through(tmp_path: Path, name: str, expected: str) -> None:
    """Under the names that Docker Hub itself uses; the deploy makes the rule, once."""
    cache = f"{{upstream: docker.io, prefix: hub, credentials: '{CACHE_SECRET}'}}"
    images = top(f"images: {{command: {{pull_through: {cache}}}}}")
    plan = plan_of(tmp_path, TWO_ACCOUNTS, command(f"image: '{name}'"), images)

    assert image_of(plan, "command") == Image("cached", expected)
    assert plan.pull_through == (PullThrough("hub", "registry-1.docker.io", CACHE_SECRET),)


def test_prefix_of_a_rule_is_the_environments_own(tmp_path: Path) -> None:
    """Two environments in one account do not collide: a prefix is unique in account and region."""
    edits = (command("image: quay.io/a/b:1"), top("images: {command: {pull_through: {upstream: quay.io}}}"))
    project = loaded(tmp_path, *edits)
    prefixes = {compile_plan(project, name).pull_through[0].prefix for name in ("dev", "prod")}

    assert len(prefixes) == 2
    assert all(prefix.startswith(("acme-dev-", "acme-prod-")) and len(prefix) <= 30 for prefix in prefixes)


@pytest.mark.parametrize(
    "name",
    [
        "busybox",
        "acme/refresh:7",
        "localhost:5000/x",
        "public.ecr.aws/docker/library/busybox:1.37",
        "registry.acme.io:8443/team_a/x--y/z.v2:v1.2_3-rc",
        f"{'a' * 255}@sha256:{'0' * 64}",
        f"ghcr.io/acme/x:7@sha256:{'0' * 64}",
    ],
)
def test_images_that_can_be_pulled(name: str) -> None:
    """All that distribution's grammar has; a digest does not count among ECS's 255 characters."""
    assert wrong_reference(name) is None


def test_image_is_not_too_long_behind_its_mirror_or_cache(tmp_path: Path) -> None:
    """What ECS gets is the whole name."""
    name = f"quay.io/{'a' * 210}:1"
    cache = top("images: {command: {pull_through: {upstream: quay.io, prefix: hub}}}")
    mirror = top(f"images: {{command: {{mirror: {MIRROR}}}}}")
    long = {
        folder: errors(write(tmp_path / folder, TWO_ACCOUNTS, command(f"image: '{name}'"), edit))
        for folder, edit in (("cache", cache), ("mirror", mirror))
    }

    assert wrong_reference(name) is None
    assert "has 261 characters, and ECS takes 255" in long["cache"][0][1]
    assert "has 264 characters, and ECS takes 255" in long["mirror"][0][1]


def test_another_log_in_is_another_rule(tmp_path: Path) -> None:
    """A rule is fixed to upstream and log-in, so both are in the prefix that nobody names; one that is named stays."""

    def prefix(**settings: str) -> str:
        cache = ", ".join(f"{name}: {value}" for name, value in settings.items())
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        image = command(f"image: {settings['upstream']}/a/b:1")
        images = top(f"images: {{command: {{pull_through: {{{cache}}}}}}}")
        (rule,) = plan_of(folder, TWO_ACCOUNTS, image, images).pull_through
        return rule.prefix

    hub = {"upstream": "docker.io", "credentials": CACHE_SECRET}
    other = {**hub, "credentials": CACHE_SECRET.replace("-AbCdEf", "-GhIjKl")}

    assert len({prefix(**hub), prefix(**other), prefix(upstream="quay.io")}) == 3
    assert prefix(**hub) == prefix(**hub)
    assert prefix(**hub, prefix="hub") == prefix(**other, prefix="hub") == "hub"


SHARED_RULE = "images: {{command: {{pull_through: {{upstream: quay.io, prefix: hub{}}}}}}}"


def test_rule_of_a_prefix_is_made_once(tmp_path: Path) -> None:
    """Two environments of one account and region cannot both make it: the second deploy would meet the first one's."""
    accounts = [("dev: {region", "dev: {account: '%s', region"), ("prod: {region", "prod: {account: '%s', region")]
    same = [(old, new % "111122223333") for old, new in accounts]
    image = command("image: quay.io/a/b:1")
    ((where, what, fix),) = errors(write(tmp_path / "a", ONE_REGION, image, top(SHARED_RULE.format("")), *same))

    assert where == "penstock.yaml:25:62"
    assert what == (
        "environments 'dev' and 'prod' both make the pull-through rule 'hub' of account 111122223333 in eu-west-1"
    )
    assert "write {images: {command: {pull_through: {create: false}}}} in environment 'prod'" in fix


@pytest.mark.parametrize(
    ("edits", "right"),
    [
        ((), True),
        ((ONE_REGION,), False),
        ((ONE_REGION, ("dev: {region", "dev: {account: '111122223333', region")), True),
        ((("eu-central-1, ", "eu-west-1, images: {command: {pull_through: {create: false}}}, "),), True),
        ((("eu-central-1, ", "eu-west-1, images: {command: {pull_through: {prefix: other}}}, "),), True),
    ],
    ids=["two regions", "accounts unknown", "one account", "used by the other", "own prefix"],
)
def test_where_a_prefix_is_nobody_elses(tmp_path: Path, edits: tuple[tuple[str, str], ...], right: bool) -> None:
    """Another region, another account or its own prefix; accounts that are not named may be one."""
    path = write(tmp_path, command("image: quay.io/a/b:1"), top(SHARED_RULE.format("")), *edits)
    if right:
        assert load(path)
        return
    ((_, _, fix),) = errors(path)

    assert "or name their accounts, where they differ" in fix


def test_private_registry_has_a_log_in(tmp_path: Path) -> None:
    """The secret is for ECS, and not among those that the container gets."""
    edits = (
        ("secrets:\n", "secrets:\n  REGISTRY: secretsmanager:registry\n"),
        command("image: 'registry.acme.io/x:1'"),
        top("images: {command: {credentials: REGISTRY}}"),
    )  # fmt: skip
    plan = plan_of(tmp_path, *edits)
    image = image_of(plan, "command")

    assert image.credentials is not None
    assert (image.credentials.id, image.reference) == ("registry", "registry.acme.io/x:1")
    (definition,) = [definition for definition in plan.task_definitions if definition.engine == "command"]
    assert definition.secrets == ()
