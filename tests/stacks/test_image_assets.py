"""Images that we build: the context holds the recipe and the project, and none of what must stay at home."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime.errors import InputError
from penstock_runtime.plan.task_definition import Image
from stacks.ingestion import image
from tests.stacks import plans, statements

BUILT = Image("built", "meltano", "ingestion/meltano")


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe of two files in place of the real ones."""
    folder = tmp_path / "recipes"
    (folder / "meltano").mkdir(parents=True)
    (folder / "meltano/Dockerfile").write_text("FROM scratch\n")
    (folder / "meltano/requirements.txt").write_text("meltano\n")
    monkeypatch.setattr(image, "RECIPES", folder)
    return folder


def project(root: Path) -> Path:
    """A Meltano project as it looks on an engineer's machine."""
    folder = root / "ingestion/meltano"
    for path in ("meltano.yml", "taps/tap.py", "taps/output/__init__.py", ".env", ".env.prod", ".meltano/meltano.db",
                 "output/x.json", ".git/config", "taps/__pycache__/tap.pyc", "taps/.env"):  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def built_assets(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "cdk.out/acme-dev-airflow.assets.json").read_text()
    return list(json.loads(text)["dockerImages"].values())


def test_the_context_holds_the_recipe_and_the_project(recipes: Path, tmp_path: Path) -> None:
    """The recipe's files at the top, the project below `project/`, without secrets, caches and results. Meltano's
    folder of results is the one at the top: a package of that name is source."""
    project(tmp_path)
    image.assemble(BUILT, tmp_path, tmp_path / "context")

    copied = {
        path.relative_to(tmp_path / "context").as_posix()
        for path in (tmp_path / "context").rglob("*")
        if path.is_file()
    }
    assert copied == {
        "Dockerfile", "requirements.txt", "project/meltano.yml", "project/taps/tap.py",
        "project/taps/output/__init__.py",
    }  # fmt: skip


def test_a_program_stays_one_and_a_link_becomes_what_it_leads_to(recipes: Path, tmp_path: Path) -> None:
    """In the context as in the project's folder."""
    folder = project(tmp_path)
    (folder / "taps/tap.py").chmod(0o755)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/macros.sql").write_text("select 1")
    (folder / "shared").symlink_to(tmp_path / "shared")
    (folder / "one.sql").symlink_to(tmp_path / "shared/macros.sql")
    image.assemble(BUILT, tmp_path, tmp_path / "context")

    context = tmp_path / "context/project"
    assert (context / "taps/tap.py").stat().st_mode & 0o111
    for path in ("shared/macros.sql", "one.sql"):
        assert (context / path).read_text() == "select 1"
    assert not [one for one in context.rglob("*") if one.is_symlink()]


def test_an_image_is_built_for_its_definitions_and_its_tag_follows_the_contents(recipes: Path, tmp_path: Path) -> None:
    """Two definitions share one image; leftovers do not change its tag, a source file does."""
    first = dataclasses.replace(plans.MELTANO, image=BUILT, architecture="x86_64")
    second = dataclasses.replace(first, family="acme-dev-meltano-other", role_prefix="acme-dev-other")
    plan = dataclasses.replace(plans.PLAN, task_definitions=(first, second))

    def tag(name: str, leftovers: str, source: str) -> str:
        root = tmp_path / name
        folder = project(root)
        (folder / ".meltano/meltano.db").write_text(leftovers)
        (folder / "meltano.yml").write_text(source)
        templates = plans.synthesize(plan, root)
        images = {
            statements.text(resource["Properties"]["ContainerDefinitions"][0]["Image"]).replace(
                "<AWS::URLSuffix>", "amazonaws.com"
            )
            for resource in plans.resources(templates, "AWS::ECS::TaskDefinition")
        }
        (asset,) = built_assets(root)
        assert asset["source"]["platform"] == "linux/amd64"
        (reference,) = images
        return reference

    plain = tag("a", "", "version: 1")
    assert tag("b", "left over", "version: 1") == plain
    assert tag("c", "", "version: 2") != plain


def test_the_execution_role_pulls_a_built_image(recipes: Path, tmp_path: Path) -> None:
    """A built image is in the repository that CDK's bootstrap made, and the role may pull from that one only."""
    project(tmp_path)
    plan = dataclasses.replace(plans.PLAN, task_definitions=(dataclasses.replace(plans.MELTANO, image=BUILT),))
    templates = plans.synthesize(plan, tmp_path)
    role = statements.of_role(templates["acme-dev-airflow"], f"{plans.MELTANO.role_prefix}-exec")

    (pull,) = statements.that_allow(role, "ecr:BatchGetImage")
    name = f"cdk-hnb659fds-container-assets-{plans.ACCOUNT}-{plans.REGION}"
    assert pull["Resource"] == [f"arn:aws:ecr:{plans.REGION}:{plans.ACCOUNT}:repository/{name}"]
    assert built_assets(tmp_path)[0]["source"]["platform"] == "linux/arm64"


@pytest.mark.parametrize(
    ("wrong", "what"),
    [(Image("built", "nope"), "the image recipe 'nope' does not exist"), (Image("built", "meltano", "gone"), "'gone'")],
)
def test_what_is_not_there_is_named(recipes: Path, tmp_path: Path, wrong: Image, what: str) -> None:
    """A missing recipe or project folder is an error with a fix, before anything is built."""
    with pytest.raises(InputError, match=what) as caught:
        image.assemble(wrong, tmp_path, tmp_path / "context")

    assert caught.value.fix


def test_the_slim_recipe_finds_the_lock(tmp_path: Path) -> None:
    """The project's folder lies where Dockerfile and build.sh look for it."""
    lock = "openmetadata-ingestion[postgres]==1.12.14.2 \\\n    --hash=sha256:00\n"
    (tmp_path / "slim").mkdir()
    (tmp_path / "slim" / "requirements.txt").write_text(lock)
    image.assemble(Image("built", "openmetadata", "slim"), tmp_path, tmp_path / "context")

    assert (tmp_path / "context" / "project" / "requirements.txt").read_text() == lock
    assert "$CONTEXT/project/requirements.txt" in (tmp_path / "context" / "build.sh").read_text()
    assert "build.sh" in (tmp_path / "context" / "Dockerfile").read_text()
