"""Which field of a JSON secret a container gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from tests.unit.project_files import loaded

WAREHOUSE = "secretsmanager:warehouse#password"
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse-AbCdEf"


@pytest.mark.parametrize(
    ("reference", "store", "id_", "key"),
    [
        ("secretsmanager:warehouse#password", "secretsmanager", "warehouse", "password"),
        ("secretsmanager:warehouse", "secretsmanager", "warehouse", None),
        (f"secretsmanager:{ARN}#password", "secretsmanager", ARN, "password"),
        (f"{ARN}#password", "secretsmanager", ARN, "password"),
        (ARN, "secretsmanager", ARN, None),
        ("ssm:/acme/password", "ssm", "/acme/password", None),
    ],
)
def test_a_reference_names_one_field_or_the_whole(
    tmp_path: Path, reference: str, store: str, id_: str, key: str | None
) -> None:
    """A task that gets all of a JSON secret instead of its password cannot log in, and has more than it should."""
    plan = compile_plan(loaded(tmp_path, (WAREHOUSE, f'"{reference}"')), "dev")
    secrets = {secret for definition in plan.task_definitions for secret in definition.secrets}
    (password,) = [secret for secret in secrets if secret.name == "PASSWORD"]

    assert (password.store, password.id, password.key) == (store, id_, key)
