"""Synthesis of the sample against a CDK app of one resource that does nothing (goal: under 2), and cdk-nag's share."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks import measure

_EMPTY = """
import json, os, pathlib, aws_cdk
flags = json.loads(pathlib.Path("cdk.json").read_text())["context"]
app = aws_cdk.App(context=flags, analytics_reporting=False)
aws_cdk.CfnWaitConditionHandle(aws_cdk.Stack(app, "empty"), "Nothing")
app.synth()
"""


def main() -> None:
    """Print the figures."""

    def synth(program: list[str], **context: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            environ = {"CDK_OUTDIR": folder, "CDK_CONTEXT_JSON": json.dumps(context)}
            measure.command([sys.executable, *program], environ=environ)
            assert list(Path(folder).glob("*.template.json"))

    seconds = measure.alternating(
        5,
        empty=lambda: synth(["-c", _EMPTY]),
        sample=lambda: synth(["app.py"]),
        sample_with_nag=lambda: synth(["app.py"], nag="true"),
    )
    measure.report(
        "synth",
        seconds=seconds,
        ratio=round(seconds["sample"] / seconds["empty"], 2),
        nag_seconds=round(seconds["sample_with_nag"] - seconds["sample"], 3),
    )


if __name__ == "__main__":
    main()
