"""The app, run by the real CDK CLI, and by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app
from penstock_runtime.errors import PenstockError
from tests.stacks import plans

CDK = plans.ROOT / "node_modules" / ".bin" / "cdk"


def run(*command: str | Path, cwd: Path = plans.ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command with no AWS credentials in reach."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "CI": "true", "NO_COLOR": "1"}
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={**clean, **nowhere, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def templates(assembly: Path) -> dict[str, dict[str, Any]]:
    """File name to template, without the metadata that the CLI asks for to show paths."""
    found = {path.name: json.loads(path.read_text()) for path in assembly.glob("*.template.json")}
    for template in found.values():
        for resource in template["Resources"].values():
            resource.pop("Metadata", None)
    return found


def synth(assembly: Path, **context: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "app.py", CDK_OUTDIR=str(assembly), CDK_CONTEXT_JSON=json.dumps(context))


def test_the_cli_and_the_app_alone_give_the_same_templates(tmp_path: Path) -> None:
    """`cdk synth` from the repository, with nothing activated, and `python app.py` agree."""
    by_cli = run(CDK, "--no-notices", "synth", "--quiet", "--output", tmp_path / "cli")
    alone = synth(tmp_path / "alone")

    assert by_cli.returncode == 0, by_cli.stderr
    assert alone.returncode == 0, alone.stderr
    assert templates(tmp_path / "cli") == templates(tmp_path / "alone")
    assert set(templates(tmp_path / "cli")) == {
        f"flights-dev-{stack}.template.json" for stack in ("network", "ingestion", "airflow", "observability")
    }
    manifest = json.loads((tmp_path / "cli" / "manifest.json").read_text())
    stacks = [
        artifact["properties"]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    assert len(stacks) == 4
    ours = {"penstock:project": "flights", "penstock:environment": "dev"}
    assert all(stack["tags"].items() >= ours.items() for stack in stacks)


def test_the_sample_has_no_finding_of_cdk_nag(tmp_path: Path) -> None:
    """`-c nag=true` checks, and the sample passes in both its environments."""
    for environment in ("dev", "prod"):
        done = synth(tmp_path / environment, nag="true", environment=environment)
        assert done.returncode == 0, done.stderr


def test_variables_of_the_command_line_win(tmp_path: Path) -> None:
    """A value given with -c is in the files that Airflow reads; that is how `penstock up` wires its services in."""
    done = synth(tmp_path, variables='{"WAREHOUSE_HOST": "db.example.org"}')

    assert done.returncode == 0, done.stderr
    shards = [path.read_text() for path in tmp_path.rglob("shards/*.json")]
    assert any("db.example.org" in shard for shard in shards)
    assert not any("warehouse.example.com" in shard for shard in shards)


def test_replace_is_another_template_every_time(tmp_path: Path) -> None:
    """In the two resources that CloudFormation is to call, and in nothing else."""
    first, second = (
        (synth(tmp_path / name, replace="true"), templates(tmp_path / name))[1] for name in ("first", "second")
    )
    times = []
    for found in (first, second):
        resources = [resource for template in found.values() for resource in template["Resources"].values()]
        releases = [resource["Properties"] for resource in resources if resource["Type"] == "Custom::PenstockRelease"]
        times.append({release.pop("Replace") for release in releases})
        assert len(releases) == 2

    assert len(times[0] | times[1]) == 2
    assert first == second


@pytest.mark.parametrize(
    ("context", "what"),
    [
        ({"project": "nowhere.yaml"}, "nowhere.yaml"),
        ({"environment": "staging"}, "no environment 'staging'"),
        ({"variables": "A=b"}, "'variables' is not a JSON object of strings"),
        ({"variables": '{"A": 1}'}, "'variables' is not a JSON object of strings"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(tmp_path: Path, context: dict[str, str], what: str) -> None:
    """A user's mistake is one text with its fix, and exit code 2."""
    done = synth(tmp_path, **context)

    assert done.returncode == 2
    assert what in done.stderr
    assert "  fix: " in done.stderr
    assert "Traceback" not in done.stderr
    assert templates(tmp_path) == {}


def test_warnings_of_the_plan_are_shown(tmp_path: Path) -> None:
    """The sample's dev environment names no catalogue; the synth says so, with the line."""
    done = synth(tmp_path)

    assert "penstock.yaml:" in done.stderr + done.stdout
    assert "no OpenMetadata server" in done.stderr + done.stdout


def test_without_make_setup_the_cli_names_what_is_missing(tmp_path: Path) -> None:
    """In a fresh clone the message of `cdk synth` names the interpreter that does not exist yet."""
    (tmp_path / "cdk.json").write_text((plans.ROOT / "cdk.json").read_text())
    done = run(CDK, "--no-notices", "synth", cwd=tmp_path)

    assert done.returncode != 0
    assert ".venv/bin/python" in done.stderr + done.stdout


def test_what_cdk_refuses_ends_in_one_line(tmp_path: Path) -> None:
    """Its findings are on stderr; a traceback of jsii's below them helps nobody."""
    flags = {"@aws-cdk/core:validateAgainstDefaultRules": True}
    wrong = cdk.App(context=flags, outdir=str(tmp_path), analytics_reporting=False)
    alarm = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Tags": [{"Key": "a", "Value": ""}]}
    cdk.CfnResource(cdk.Stack(wrong, "stack"), "Alarm", type="AWS::CloudWatch::Alarm", properties=alarm)

    with pytest.raises(PenstockError, match="CDK refuses the templates: ") as caught:
        app.synthesize(wrong)
    assert "finding" in caught.value.fix
    assert "Tags.0.Value" in caught.value.what
