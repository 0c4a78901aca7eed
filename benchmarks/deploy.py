"""The real CDK CLI deploying the sample's stacks to the embedded AWS: the first deploy, and one that changes nothing.

The floor is the CLI's own start.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import measure
from penstock.home import CDK


def main() -> None:
    """Print the figures."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
    shutil.copy(measure.ROOT / "penstock.yaml", folder)
    shutil.copytree(measure.ROOT / "ingestion", folder / "ingestion", ignore=shutil.ignore_patterns(".meltano"))
    penstock = [str(Path(sys.executable).with_name("penstock")), "--project", str(folder / "penstock.yaml")]
    seconds = {"cdk_version": round(measure.timed(lambda: measure.command([CDK, "--version"])), 1)}
    try:
        for kind in ("first", "no_change"):
            seconds[kind] = _deploy_seconds(measure.command([*penstock, "up"]).stderr)
    finally:
        measure.command([*penstock, "down"])
        shutil.rmtree(folder)
    measure.report("deploy", seconds=seconds)


def _deploy_seconds(steps: str) -> float:
    """What `penstock up` says that its step of the deploy took."""
    step = re.search(r"✓ deploy the stacks .*\((\d+\.\d) s\)", steps)
    assert step is not None, steps
    return float(step[1])


if __name__ == "__main__":
    main()
