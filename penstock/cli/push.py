"""`push`: the fast path, which changes the DAGs of what is deployed in AWS.

Uses the caller's AWS credentials, as the AWS CLI would. Exit codes: 0 done, or nothing dangerous; 1 refused or failed;
2 wrong input.
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
    made = pushes.make(plan)
    facts = pushes.infrastructure_facts(plan, made, own.project.folder)
    account = Account(plan.region)
    account.check(plan)
    deployed = find(account, plan, to)
    folder, revision = own.project.folder, revision_of(own.project)
    found = pushes.prepare(deployed, plan, facts, made, revision, project=folder, force=replace)
    if isinstance(found, pushes.Lacking):
        if form is Format.json:
            show_json({"pushed": False, "lacking": list(found.reasons)})
        told = "\n".join(f"  - {reason}" for reason in found.reasons)
        deploy = DEPLOY_FIRST.format(environment=plan.environment)
        raise PenstockError(
            f"the deployed infrastructure does not hold what these DAGs need; nothing was changed\n{told}",
            fix=deploy.replace("deploy it first", "deploy"),
        )
    uploaded = 0 if dry_run else pushes.do(found, warn)
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
    show_schedules(found.changes)
    for one in found.waiting:
        warn(f"not pushed, waits for a deploy: {one}")
    what = "would push" if dry_run else "pushed"
    if found.live and found.live.release == found.release.release:
        what = "already live:"
    data.print(f"{what} {found.release}, {uploaded} files uploaded", markup=False)
