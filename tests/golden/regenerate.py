"""Golden cases: a project and what comes of it. `python -m tests.golden.regenerate` writes what the code gives now.

A case is a folder with `project/` and `expected/<environment>/`: `plan.json`, `bundle.txt` (the bundle's listing) and a
CloudFormation template for each stack. `service_models.txt` lists what is checked of the templates.
Read the difference before committing it: it is what a deploy would change.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from penstock.bundle.build import Bundle, build_bundle
from penstock.compile import mwaa
from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from penstock.project.loaded import Project
from penstock_runtime.plan.plan import Plan
from stacks.build import Files, build_stacks
from tests.golden import service_models

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
        built = build_bundle(plan, dags_folder=DAGS)
        found[f"{environment}/plan.json"] = plan.to_json()
        found[f"{environment}/bundle.txt"] = listing(built)
        for stack, template in templates(plan, built, project).items():
            found[f"{environment}/{stack}.template.json"] = template
    return found


def templates(plan: Plan, built: Bundle, project: Project) -> dict[str, str]:
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
        )
        build_stacks(app, plan, files, account=ACCOUNT)
        stacks = app.synth().stacks
        return without_hashes({stack.stack_name: stack.template for stack in stacks})


def without_hashes(templates: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Stack name → its template's text, without what a hash made of it.

    CDK ends logical ids in eight hex digits of their path: they are taken from the ends of what is a logical id of
    these templates, and from nothing else, for the number of an account is as good as eight hex digits. Assets, the
    runtime and releases are named by the hash of their content; the digest of an image is not: the user has named it.
    """
    names = {}
    for template in templates.values():
        for name in [one for section in template.values() if isinstance(section, Mapping) for one in section]:
            plain = re.sub(r"(?<=[A-Za-z0-9])[0-9A-F]{8}(?=$|[A-Z][a-z])", "", name)
            if plain != name:
                names[name] = plain
    ids = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(map(re.escape, names))})(?![A-Za-z0-9])") if names else None
    found = {}
    for stack, template in templates.items():
        text = json.dumps(template, indent=1) + "\n"
        text = re.sub(r"(?<!sha256:)\b[0-9a-f]{64}\b", "<hash>", text)
        text = re.sub(r'("(?:Release|Plan)": )"[0-9a-f]{16}"', r'\1"<hash>"', text)  # it holds the runtime
        found[stack] = ids.sub(lambda one: names[one[1]], text) if ids else text
    return found


def listing(built: Bundle) -> str:
    """The bundle's files, hashes left out; the runtime counts as one, since its modules are not the case's matter."""
    lines = [f"dags/{path}" for path in built.dags] + [f"artifacts/{key}" for key in built.artifacts]
    lines = [re.sub(r"(?<![0-9a-f])([0-9a-f]{16}|[0-9a-f]{64})(?![0-9a-f])", "<hash>", line) for line in lines]
    lines = [re.sub(r"(release/<hash>/penstock_runtime)/.*", r"\1/…", line) for line in lines]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def main() -> None:
    """Write every case's `expected/`, and the list of what is checked of all."""
    for case in cases():
        shutil.rmtree(HERE / case / "expected", ignore_errors=True)
        for name, text in outputs(case).items():
            path = HERE / case / "expected" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    service_models.LIST.write_text(service_models.listing(), encoding="utf-8")


if __name__ == "__main__":
    main()
