"""Golden cases: a project and what comes of it. `python -m tests.golden.regenerate` writes what the code gives now.

A case is a folder with `project/` and `expected/<environment>/`: `plan.json`, `bundle.txt` (the bundle's listing) and a
CloudFormation template for each stack.
Read the difference before committing it: it is what a deploy would change.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

import aws_cdk as cdk

from penstock import bundle, mwaa, task_files
from penstock.compile import compile_plan
from penstock.project import Project, load
from penstock_runtime.plan import Plan
from stacks.build import Files, build_stacks

HERE = Path(__file__).resolve().parent
DAGS = HERE.parents[1] / "dags"
ACCOUNT = "111122223333"
"""For plans that name no account."""


def cases() -> list[str]:
    """The names of the cases."""
    return sorted(path.parent.parent.name for path in HERE.glob("*/project/penstock.yaml"))


def outputs(case: str) -> dict[str, str]:
    """What a case gives: path below `expected/` → text."""
    project = load(HERE / case / "project")
    found = {}
    for environment in project.environments:
        plan = compile_plan(project, environment)
        built = bundle.build(plan, dags_folder=DAGS)
        found[f"{environment}/plan.json"] = plan.to_json()
        found[f"{environment}/bundle.txt"] = listing(built)
        for stack, template in templates(plan, built, project).items():
            found[f"{environment}/{stack}.template.json"] = template
    return found


def templates(plan: Plan, built: bundle.Bundle, project: Project) -> dict[str, str]:
    """The stacks' templates as `cdk synth` gives them, without what a hash of some content made of them."""
    flags = json.loads((DAGS.parent / "cdk.json").read_text())["context"]
    with tempfile.TemporaryDirectory() as place:
        app = cdk.App(context=flags, outdir=f"{place}/cdk.out", analytics_reporting=False)
        built.write(Path(place))
        environment = mwaa.write(mwaa.files(plan, project), Path(place, "environment"))
        files = Files(
            Path(place, "dags", plan.prefix),
            Path(place, "artifacts"),
            built.runtime_sha256,
            project.folder.resolve(),
            environment,
            task_files.write(plan, project.folder, Path(place, "files")),
        )
        build_stacks(app, plan, files, account=ACCOUNT)
        stacks = app.synth().stacks
        return {stack.stack_name: _without_hashes(json.dumps(stack.template, indent=1) + "\n") for stack in stacks}


def _without_hashes(template: str) -> str:
    """CDK ends logical ids in eight hex digits of their path, and names assets by the hash of their content."""
    template = re.sub(r"\b[0-9a-f]{64}\b", "<hash>", template)
    template = re.sub(r'"[0-9a-f]{16}"', '"<hash>"', template)  # a release, which holds the runtime
    return re.sub(r"(?<=[A-Za-z0-9])[0-9A-F]{8}(?=[\"./]|[A-Z][a-z])", "", template)


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
