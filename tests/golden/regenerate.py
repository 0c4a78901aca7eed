"""Golden cases: a project and what comes of it. `python -m tests.golden.regenerate` writes what the code gives now.

A case is a folder with `project/` and `expected/<environment>/`: `plan.json` and `bundle.txt`, the bundle's listing.
Read the difference before committing it: it is what a deploy would change.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from penstock import bundle
from penstock.compile import compile_plan
from penstock.project import load

HERE = Path(__file__).resolve().parent
DAGS = HERE.parents[1] / "dags"


def cases() -> list[str]:
    """The names of the cases."""
    return sorted(path.parent.parent.name for path in HERE.glob("*/project/penstock.yaml"))


def outputs(case: str) -> dict[str, str]:
    """What a case gives: path below `expected/` → text."""
    project = load(HERE / case / "project")
    found = {}
    for environment in project.environments:
        plan = compile_plan(project, environment)
        found[f"{environment}/plan.json"] = plan.to_json()
        found[f"{environment}/bundle.txt"] = listing(bundle.build(plan, dags_folder=DAGS))
    return found


def listing(built: bundle.Bundle) -> str:
    """The bundle's files, hashes left out; the runtime counts as one, since its modules are not the case's matter."""
    lines = [f"dags/{path}" for path in built.dags] + [f"artifacts/{key}" for key in built.artifacts]
    lines = [re.sub(r"[0-9a-f]{16,64}", "<hash>", line) for line in lines]
    lines = [re.sub(r"(release/<hash>/penstock_runtime)/.*", r"\1/…", line) for line in lines]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def main() -> None:
    """Write every case's `expected/`."""
    for case in cases():
        shutil.rmtree(HERE / case / "expected", ignore_errors=True)
        for name, text in outputs(case).items():
            path = HERE / case / "expected" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
