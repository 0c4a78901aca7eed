"""cfn-lint and checkov read every golden template: no finding but those that a construct gives a reason for."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock.home import REQUIREMENTS
from penstock.local import environments
from tests.golden import regenerate

TEMPLATES = sorted(regenerate.HERE.glob("*/expected/*/*.template.json"))
IGNORED = ["W3005"]
"""A dependency that a reference implies already: CDK writes them for every resource of a construct."""


@pytest.fixture(scope="module")
def judges() -> Path:
    """The folder of their commands."""
    return environments.ensure("judges", REQUIREMENTS / "judges.txt", report=print) / "bin"


def test_cfn_lint_finds_nothing(judges: Path) -> None:
    """Neither an error nor a warning."""
    verdicts = lint(judges, TEMPLATES)

    assert (verdicts.returncode, verdicts.stdout) == (0, "")


def test_cfn_lint_is_awake(judges: Path, tmp_path: Path) -> None:
    """It would find a property that no resource has."""
    template = json.loads(TEMPLATES[0].read_text())
    next(iter(template["Resources"].values()))["Properties"]["Nonsense"] = 1
    (tmp_path / "wrong.template.json").write_text(json.dumps(template))

    assert "Nonsense" in lint(judges, [tmp_path / "wrong.template.json"]).stdout


def test_checkov_finds_nothing(judges: Path, tmp_path: Path) -> None:
    """What is left out has its reason in the metadata of its resource."""
    result = checkov(judges, tmp_path, TEMPLATES)

    failed = {(one["check_id"], one["check_name"], one["resource"]) for one in result["results"]["failed_checks"]}
    assert failed == set()
    assert all(one["check_result"]["suppress_comment"] for one in result["results"]["skipped_checks"])
    assert result["summary"]["passed"] > 100


def test_checkov_is_awake(judges: Path, tmp_path: Path) -> None:
    """It would find a bucket that is open."""
    (tmp_path / "open.template.json").write_text('{"Resources": {"Open": {"Type": "AWS::S3::Bucket"}}}')

    result = checkov(judges, tmp_path / "judged", [tmp_path / "open.template.json"])
    assert result["summary"]["failed"] > 0


def lint(judges: Path, templates: list[Path]) -> subprocess.CompletedProcess[str]:
    command = [judges / "cfn-lint", "--format", "parseable", "--ignore-checks", *IGNORED, "--", *templates]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def checkov(judges: Path, folder: Path, templates: list[Path]) -> dict[str, Any]:
    """Run it on a folder of its own; without a way out, since it would ask its maker for news."""
    folder.mkdir(exist_ok=True)
    for template in templates:
        shutil.copy(template, folder / "-".join(template.parts[-4:]))
    command = [judges / "checkov", "--compact", "--framework", "cloudformation", "--directory", folder]
    done = subprocess.run(
        [*command, "--output", "json", "--skip-download"], capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
