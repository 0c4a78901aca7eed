"""The composition root: project → plan → bundle → stacks. `cdk` runs it; see cdk.json.

Context: `project` (a path, default penstock.yaml), `environment` (default: the project's first), `variables`
(a JSON object that overrides the plan's variables), `airflow` (a version, instead of the project's), `nag` (true:
check with cdk-nag) and `replace` (true: replace DAGs that are newer than this checkout).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from penstock.bundle import task_files
from penstock.bundle.build import build_bundle
from penstock.bundle.revision import revision_of
from penstock.compile import mwaa
from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from penstock.project.openmetadata.shapes import shape_file
from penstock_runtime.errors import InputError, PenstockError
from stacks.build import Files, build_stacks
from stacks.release.source import Source

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Synthesize the stacks of one project and environment.

    Raises:
        PenstockError: the project is wrong; nothing has been written.
    """
    # The CLI reads cdk.json by itself; this is for `CDK_OUTDIR=out python app.py`, which gives the same templates.
    flags = json.loads((HERE / "cdk.json").read_text())["context"]
    app = cdk.App(context=flags, analytics_reporting=False)
    project = load(Path(_text(app, "project") or "penstock.yaml"), shapes=shape_file.cached)
    plan = compile_plan(
        project,
        _text(app, "environment"),
        variables=_variables(app),
        airflow_version=_text(app, "airflow"),
    )
    built = build_bundle(plan, dags_folder=HERE / "dags")
    with tempfile.TemporaryDirectory(prefix="penstock-bundle-") as folder:
        built.write(Path(folder))
        files = Files(
            bundle=Path(folder, "dags", plan.prefix),
            artifacts=Path(folder, "artifacts"),
            runtime_sha256=built.runtime_sha256,
            project_root=project.folder,
            environment=mwaa.write(mwaa.files(plan, project), Path(folder, "environment")),
            task_files=task_files.write(plan, project.folder, Path(folder, "files")),
        )
        revision = revision_of(project)
        # Another value each time: CloudFormation calls the function only if something changes.
        mark = _text(app, "replace_mark") or datetime.now(UTC).isoformat()
        replace = mark if _is_true(app, "replace") else ""
        source = Source(revision.order, revision.committed, revision.name, replace)
        build_stacks(app, plan, files, account=os.environ.get("CDK_DEFAULT_ACCOUNT"), source=source)
        if _is_true(app, "nag"):
            import cdk_nag

            cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.NIST80053R5Checks(app))
        synthesize(app)


def synthesize(app: cdk.App) -> None:
    """Write the templates.

    Raises:
        PenstockError: CDK refuses them, for the reason that the error and stderr give.
    """
    try:
        app.synth()
    except RuntimeError as error:
        # CDK's exceptions arrive as this class, with their own name in front.
        name, _, finding = str(error).partition(": ")
        if name != "ValidationFailed":
            raise
        fix = "change the setting that each finding is about, then run it again"
        raise PenstockError(f"CDK refuses the templates: {finding}", fix=fix) from error


def _is_true(app: cdk.App, name: str) -> bool:
    return str(app.node.try_get_context(name)).lower() == "true"


def _text(app: cdk.App, key: str) -> str | None:
    value: Any = app.node.try_get_context(key)
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"the context {key!r} is not text", fix=f"write -c {key}=…, or quote it in cdk.json")


def _variables(app: cdk.App) -> dict[str, str] | None:
    given: Any = app.node.try_get_context("variables")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            given = False
    if given is None or (isinstance(given, dict) and all(isinstance(value, str) for value in given.values())):
        return given
    raise InputError(
        "the context 'variables' is not a JSON object of strings", fix="""write -c variables='{"A": "b"}'"""
    )


if __name__ == "__main__":
    try:
        main()
    except PenstockError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
