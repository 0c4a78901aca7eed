"""`push` and `diff`: what is deployed in AWS, changed by the fast path or compared with the project.

Both use the caller's AWS credentials, as the AWS CLI would. Exit codes: 0 done, or nothing dangerous; 1 refused or
failed; 2 wrong input.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from penstock import home
from penstock.cli import context as contexts
from penstock.cli.output import Format, data, show_json, talk
from penstock.cli.project import FormatOption
from penstock.deployed import push as pushes
from penstock.deployed.account import Account
from penstock.deployed.state import DEPLOY_FIRST, find
from penstock.diff.plans import Change
from penstock.revision import revision_of
from penstock_runtime import infrastructure
from penstock_runtime.errors import PenstockError

RECIPES = home.HOME / "runtime" / "images"
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}

ToOption = Annotated[
    str | None,
    typer.Option("--to", help="s3://bucket/folder of the DAGs, where the caller may not read CloudFormation."),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(push)


def push(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of DAGs that are newer, too.")] = False,
    to: ToOption = None,
    form: FormatOption = Format.text,
) -> None:
    """Put the DAGs and their configs into the deployed system, in seconds; touch no infrastructure."""
    own = contexts.of(context)
    plan = own.plan()
    made = pushes.make(plan)
    folder = own.project.folder
    facts = infrastructure.describe(
        plan,
        runtime_sha256=made.runtime_sha256,
        images=infrastructure.image_contents(plan, recipes=RECIPES, project=folder),
        account=plan.account,
    )
    account = Account(plan.region)
    account.check(plan)
    deploy = DEPLOY_FIRST.format(environment=plan.environment)
    deployed = find(account, plan, to)
    if deployed is None:
        raise PenstockError(f"{plan.prefix} is not deployed in {plan.region}", fix=deploy)
    found = pushes.prepare(deployed, plan, facts, made, revision_of(folder), force=replace)
    if isinstance(found, pushes.Lacking):
        if form is Format.json:
            show_json({"pushed": False, "lacking": list(found.reasons)})
        told = "\n".join(f"  - {reason}" for reason in found.reasons)
        raise PenstockError(
            f"the deployed infrastructure does not hold what these DAGs need; nothing was changed\n{told}",
            fix=deploy.replace("deploy it first", "deploy"),
        )
    uploaded = 0 if dry_run else pushes.do(found)
    if form is Format.json:
        show_json(
            {
                "pushed": not dry_run,
                "release": asdict(found.release),
                "replaced": asdict(found.live) if found.live else None,
                "uploaded": uploaded,
                "schedules": [asdict(change) for change in found.changes],
                "waiting": list(found.waiting),
            }
        )
        return
    show_changes(found.changes)
    for one in found.waiting:
        talk.print(f"not pushed, waits for a deploy: {one}", style="yellow", markup=False)
    what = "would push" if dry_run else "pushed"
    if found.live and found.live.release == found.release.release:
        what = "already live:"
    data.print(f"{what} {found.release}, {uploaded} files uploaded", markup=False)


def show_changes(changes: tuple[Change, ...]) -> None:
    """Print what happens to schedules."""
    for change in changes:
        note = f" ({change.note})" if change.note else ""
        data.print(f"{_SIGNS[change.kind]} schedule {change.dag_id}{note}", markup=False)
        for field in change.fields:
            data.print(f"    {field}", markup=False)
    if not changes:
        data.print("no schedule changes", markup=False)
