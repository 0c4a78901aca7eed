"""`push`: replace the DAGs and configs of what is deployed in AWS, if its infrastructure holds what they need.

Uses the caller's AWS credentials, as the AWS CLI would. Exit codes: 0 pushed, or with --dry-run, could be; 1 refused or
failed; 2 wrong input.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from penstock.bundle.revision import revision_of
from penstock.cli import context as contexts
from penstock.cli.changes import show_schedules
from penstock.cli.options import FormatOption, ToOption
from penstock.cli.output import Format, data, show_json, warn
from penstock.deployed import push as pushes
from penstock.deployed.account import Account
from penstock.deployed.state import DEPLOY_FIRST, find
from penstock_runtime.errors import PenstockError


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
    bundle = pushes.make(plan)
    facts = pushes.infrastructure_facts(plan, bundle, own.project.folder)
    account = Account(plan.region)
    account.check(plan)
    deployed = find(account, plan, to)
    folder, revision = own.project.folder, revision_of(own.project)
    prepared = pushes.prepare(deployed, plan, facts, bundle, revision, project=folder, force=replace)
    if isinstance(prepared, pushes.Lacking):
        if form is Format.json:
            show_json({"pushed": False, "lacking": list(prepared.reasons)})
        reasons = "\n".join(f"  - {reason}" for reason in prepared.reasons)
        deploy = DEPLOY_FIRST.format(environment=plan.environment)
        raise PenstockError(
            f"the deployed infrastructure does not hold what these DAGs need; nothing was changed\n{reasons}",
            fix=deploy.replace("deploy it first", "deploy"),
        )
    uploaded = 0 if dry_run else pushes.do(prepared, warn)
    if form is Format.json:
        show_json(
            {
                "pushed": not dry_run,
                "release": asdict(prepared.release),
                "replaced": asdict(prepared.live) if prepared.live else None,
                "uploaded": uploaded,
                "schedules": [asdict(change) for change in prepared.changes],
                "waiting": list(prepared.waiting),
            }
        )
        return
    show_schedules(prepared.changes)
    for change in prepared.waiting:
        warn(f"not pushed, waits for a deploy: {change}")
    what = "would push" if dry_run else "pushed"
    if prepared.live and prepared.live.release == prepared.release.release:
        what = "already live:"
    data.print(f"{what} {prepared.release}, {uploaded} files uploaded", markup=False)
