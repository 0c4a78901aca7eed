"""Write the JSON Schema of `penstock.yaml` to a file, or check that the file holds it.

    python -m penstock.project.schema [--check] schema/penstock.schema.json

A command only: `penstock.project.schema` is the function that makes the schema, from `json_schema`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from penstock.project.json_schema import schema


def main(arguments: list[str]) -> int:
    """Write or check the file; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m penstock.project.schema", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="fail where the file is not what would be written")
    parsed = parser.parse_args(arguments)
    text = json.dumps(schema(), indent=2) + "\n"
    if not parsed.check:
        parsed.file.write_text(text, encoding="utf-8")
        return 0
    if parsed.file.is_file() and parsed.file.read_text(encoding="utf-8") == text:
        return 0
    print(f"{parsed.file} is out of date\n  fix: make schema", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
