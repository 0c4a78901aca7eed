"""What `penstock up` gives `app.py`: of the caller's environment CDK's own switch, and only where it is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from penstock.local import deploy
from penstock.local.instance import Instance
from penstock_runtime.plan.plan import Plan


@pytest.mark.parametrize("switch", [None, "false"])
def test_cdk_checks_the_templates_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str | None
) -> None:
    """A user's `up` has the check; nothing else of the caller's gets through, an account's key above all."""
    found: dict[str, str] = {}

    def run(_: Instance, name: str, argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> None:
        found.update(environ)

    monkeypatch.setattr(deploy, "_run", run)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the caller")
    monkeypatch.delenv("CDK_VALIDATION", raising=False)
    if switch is not None:
        monkeypatch.setenv("CDK_VALIDATION", switch)
    plan: Any = SimpleNamespace(environment="dev", airflow=SimpleNamespace(version="3.0.6"))

    deploy.synth(Instance(tmp_path, "id"), tmp_path / "penstock.yaml", cast(Plan, plan), {}, "123456789012")

    assert found.get("CDK_VALIDATION") == switch
    assert "AWS_SECRET_ACCESS_KEY" not in found
