"""A task with more secrets than its execution role can be granted is an error before the deploy."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from penstock_runtime.errors import InputError

PROJECT = """\
name: acme
environments: {{dev: {{region: ap-southeast-2}}}}
network: {{create: {{}}}}
airflow: {{create: {{version: 3.0.6}}}}
secrets: {{{secrets}}}
jobs: {{j: {{tasks: [{{name: load, command: ls, image: "acme/x:1", secrets: [{names}]}}]}}}}
schedules: [{{name: s, job: j, interval: "@daily"}}]
"""


def project(folder: Path, count: int, reference: str) -> Path:
    """A project whose one task reads that many secrets."""
    secrets = ", ".join(f'S{number}: "{reference.format(number)}"' for number in range(count))
    names = ", ".join(f"S{number}" for number in range(count))
    path = folder / "penstock.yaml"
    path.write_text(PROJECT.format(secrets=secrets, names=names))
    return path


def test_too_many_secrets_by_name(tmp_path: Path) -> None:
    """Each takes two ARNs; with what to do."""
    with pytest.raises(InputError) as caught:
        compile_plan(load(project(tmp_path, 60, "secretsmanager:team/a-name-of-its-own/{}")))

    assert "task 'load' reads 60 secrets" in str(caught.value)
    assert "IAM takes 10240" in str(caught.value)
    assert "one JSON secret" in caught.value.fix


def test_one_json_secret_holds_as_many(tmp_path: Path) -> None:
    """The fix: what is granted is the secret, however many of its fields are read."""
    plan = compile_plan(load(project(tmp_path, 60, "secretsmanager:team/a-name-of-its-own#key{}")))

    assert len(plan.task_definitions[0].secrets) == 60
