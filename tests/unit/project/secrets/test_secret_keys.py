"""KMS keys of one's own for secrets: what a project may say of them, and which task definitions get them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import TaskDefinition
from tests.unit.project_files import errors, loaded, write

KEY = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000"
FOREIGN = "arn:aws:kms:eu-west-1:444455556666:key/mrk-0a1b2c3d00004000800000000000000f"
ELSEWHERE = KEY.replace("eu-west-1", "us-east-1")
DEV_ONLY = ("  prod: {region: eu-central-1, variables: {HOST: prod.acme.internal}}\n", "")
CATALOGUE = "      - name: catalogue\n"
PLAIN = (CATALOGUE, f"      - {{name: plain, command: ls, image: 'x.io/x:1'}}\n{CATALOGUE}")


def keys(*arns: str) -> tuple[str, str]:
    """An edit that names the keys, at the top level, one on each line."""
    return "secrets:\n", "secret_kms_keys:\n" + "".join(f"  - {arn}\n" for arn in arns) + "secrets:\n"


def plan_of(folder: Path, *edits: tuple[str, str]) -> Plan:
    return compile_plan(loaded(folder, DEV_ONLY, *edits), "dev")


def of_engine(plan: Plan, engine: str) -> TaskDefinition:
    (found,) = [definition for definition in plan.task_definitions if definition.engine == engine]
    return found


@pytest.mark.parametrize(
    ("arns", "line", "what", "fix"),
    [
        (["mine"], 0, "'mine' is not the ARN of a KMS key", "arn:aws:kms:<region>:<account>:key/<id>"),
        ([KEY.replace(":kms:", ":s3:")], 0, "is not the ARN of a KMS key", "describe-secret"),
        ([f"{KEY}x"], 0, "is not the ARN of a KMS key", "describe-secret"),
        ([KEY.replace("0a1b2c3d-", "*-")], 0, "is not the ARN of a KMS key", "describe-secret"),
        (["alias/secrets"], 0, "'alias/secrets' is an alias, which cannot be granted", "describe-key --key-id"),
        ([KEY.rpartition(":")[0] + ":alias/secrets"], 0, "is an alias, which cannot be granted", "describe-key"),
        ([KEY, FOREIGN, KEY], 2, "is named twice", "remove one"),
        ([KEY, ELSEWHERE], 1, "the key is in us-east-1, and the secrets are in eu-west-1", "of this environment"),
        (
            [KEY.replace("arn:aws:", "arn:aws-cn:")], 0,
            "says aws-cn, and eu-west-1 belongs to aws", "write arn:aws:kms:…",
        ),
    ],
    ids=["word", "service", "too long", "wildcard", "alias", "ARN of an alias", "twice", "region", "partition"],
)  # fmt: skip
def test_mistake_is_told_with_its_place_and_fix(
    tmp_path: Path, arns: list[str], line: int, what: str, fix: str
) -> None:
    """At the key itself, and once."""
    path = write(tmp_path, DEV_ONLY, keys(*arns))
    first = path.read_text().partition("secret_kms_keys:\n")[0].count("\n") + 2

    ((place, said, mend),) = errors(path)

    assert place == f"penstock.yaml:{first + line}:5"
    assert what in said
    assert fix in mend


def test_keys_have_an_end(tmp_path: Path) -> None:
    """Their room in each role is the reason."""
    many = [KEY.replace("0a1b2c3d", f"{number:08x}") for number in range(11)]

    ((_, said, _),) = errors(write(tmp_path, DEV_ONLY, keys(*many)))

    assert "secret_kms_keys" in said
    assert "10" in said


def test_an_environment_names_its_own(tmp_path: Path) -> None:
    """Over the top level's, which would be of another region."""
    own = KEY.replace("eu-west-1", "eu-central-1")
    prod = ("prod: {region: eu-central-1, ", f"prod: {{region: eu-central-1, secret_kms_keys: ['{own}'], ")
    project = loaded(tmp_path, prod, keys(KEY))

    assert of_engine(compile_plan(project, "dev"), "meltano").secret_kms_keys == (KEY,)
    assert of_engine(compile_plan(project, "prod"), "meltano").secret_kms_keys == (own,)


def test_only_who_reads_secrets_gets_the_keys(tmp_path: Path) -> None:
    """And no family changes its name for them."""
    before, plan = plan_of(tmp_path / "a", PLAIN), plan_of(tmp_path / "b", PLAIN, keys(FOREIGN, KEY))

    assert of_engine(plan, "openmetadata").secret_kms_keys == tuple(sorted([KEY, FOREIGN]))
    assert of_engine(plan, "meltano").secret_kms_keys == tuple(sorted([KEY, FOREIGN]))
    assert of_engine(plan, "command").secret_kms_keys == ()
    assert [definition.family for definition in plan.task_definitions] == [
        definition.family for definition in before.task_definitions
    ]
    assert Plan.from_json(plan.to_json()) == plan


def test_a_registrys_log_in_is_a_secret_too(tmp_path: Path) -> None:
    """ECS reads it for a task that has no other."""
    secret = ("PASSWORD: sec", "REGISTRY: secretsmanager:registry\n  PASSWORD: sec")
    images = ("schedules:\n", "images: {command: {credentials: REGISTRY}}\nschedules:\n")

    assert of_engine(plan_of(tmp_path, PLAIN, secret, images, keys(KEY)), "command").secret_kms_keys == (KEY,)


def test_a_secret_of_another_region_has_its_key_there(tmp_path: Path) -> None:
    """A full ARN may be of any region; only the tasks that read there get that region's key."""
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:openmetadata-AbCdEf"
    plan = plan_of(tmp_path, ("OM_JWT: secretsmanager:openmetadata", f"OM_JWT: {arn}"), keys(KEY, ELSEWHERE))

    assert of_engine(plan, "openmetadata").secret_kms_keys == (KEY, ELSEWHERE)
    assert of_engine(plan, "meltano").secret_kms_keys == (KEY,)
