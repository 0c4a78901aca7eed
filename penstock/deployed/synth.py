"""The templates that a deploy would use, made by the real CDK CLI, as `cdk deploy` makes them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from penstock.home import CDK, HOME
from penstock_runtime.errors import PenstockError

SECONDS = 600
"""For a synth; 2,000 schedules take less than a minute."""


def synth(project: Path, environment: str, region: str) -> dict[str, dict[str, Any]]:
    """Name → template of the stacks of a project and environment.

    Raises:
        PenstockError: the CLI is not installed, or it refused the project; its words are in the error.
    """
    if not CDK.exists():
        raise PenstockError(f"the CDK CLI is not at {CDK}", fix="run make setup")
    with tempfile.TemporaryDirectory(prefix="penstock-diff-") as folder:
        command = [str(CDK), "--no-notices", "--no-version-reporting", "synth", "--quiet", "--output", folder]
        command += ["-c", f"project={project.resolve()}", "-c", f"environment={environment}"]
        environ = {**os.environ, "CI": "true", "NO_COLOR": "1", "AWS_REGION": region}
        try:
            done = subprocess.run(
                command, cwd=HOME, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise PenstockError(f"cdk synth took more than {SECONDS} seconds", fix="run it by hand") from error
        if done.returncode:
            said = "\n".join(f"  | {line}" for line in done.stderr.splitlines()[-25:])
            raise PenstockError(f"cdk synth failed\n{said}", fix="run cdk synth by hand, and mend what it names")
        return _templates(Path(folder))


def _templates(assembly: Path) -> dict[str, dict[str, Any]]:
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    templates = {}
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            text = (assembly / properties["templateFile"]).read_text(encoding="utf-8")
            templates[properties.get("stackName", name)] = json.loads(text)
    return templates
