"""`penstock validate` of 1,000 workflow files, against the floor: libyaml parsing the same files in the same Python."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import measure, projects
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.shapes.shapes import Shapes

FILES = 1000
_FLOOR = """
import pathlib, sys, yaml
for file in pathlib.Path(sys.argv[1]).rglob("*.yaml"):
    yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
"""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        file = projects.write(Path(folder), schedules=FILES)
        penstock = Path(sys.executable).with_name("penstock")
        seconds = measure.alternating(
            3,
            validate=lambda: measure.command([penstock, "--project", file, "validate"]),
            parse=lambda: measure.command([sys.executable, "-c", _FLOOR, folder]),
        )
    shapes = isinstance(shape_file.cached(projects.VERSION), Shapes)
    ratio = round(seconds["validate"] / seconds["parse"], 2)
    measure.report("validate", files=FILES, shapes_checked=shapes, seconds=seconds, ratio=ratio)


if __name__ == "__main__":
    main()
