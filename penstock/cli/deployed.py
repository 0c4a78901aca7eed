"""`push` and `diff`: what is deployed in AWS, changed by the fast path or compared with the project.

Both use the caller's AWS credentials, as the AWS CLI would. Exit codes: 0 done, or nothing dangerous; 1 refused or
failed; 2 wrong input.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock import home
from penstock.bundle.build import Bundle
from penstock.bundle.revision import revision_of
from penstock.cli import context as contexts
from penstock.cli.changes import show_report, show_schedules
from penstock.cli.output import Format, data, show_json, talk
from penstock.cli.project import FormatOption
from penstock.cost.price_list import prices_of
from penstock.deployed import price_list, stacks
from penstock.deployed import push as pushes
from penstock.deployed.account import Account
from penstock.deployed.state import DEPLOY_FIRST, Deployed, NotDeployedError, find
from penstock.deployed.synth import synth
from penstock.diff import settings
from penstock.diff.plans import as_data
from penstock.diff.report import Report, compare
from penstock_runtime.errors import InputError, PenstockError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release import activation, infrastructure

RECIPES = home.HOME / "runtime" / "images"

ToOption = Annotated[
    str | None,
    typer.Option("--to", help="s3://bucket/folder of the DAGs, where the caller may not read CloudFormation."),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(push)
    app.command()(diff)


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
    facts = _facts(plan, made, own.project.folder)
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
    uploaded = 0 if dry_run else pushes.do(found, _warn)
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
        _warn(f"not pushed, waits for a deploy: {one}")
    what = "would push" if dry_run else "pushed"
    if found.live and found.live.release == found.release.release:
        what = "already live:"
    data.print(f"{what} {found.release}, {uploaded} files uploaded", markup=False)


def _warn(text: str) -> None:
    talk.print(text, style="yellow", markup=False)


def _facts(plan: Plan, made: Bundle, project: Path) -> dict[str, Any]:
    """What a deploy of the plan would put there."""
    images = infrastructure.image_contents(plan, recipes=RECIPES, project=project)
    return infrastructure.describe(plan, runtime_sha256=made.runtime_sha256, images=images, account=plan.account)


FROM_AWS = "aws"


def diff(
    context: typer.Context,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow-replacement", help="NAME may be replaced or deleted, with its data; needs --yes, too."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="What --allow-replacement names really may.")] = False,
    prices: Annotated[
        str | None,
        typer.Option("--prices", help="`aws`: those of AWS's price list; or a JSON file with prices of your own."),
    ] = None,
    to: ToOption = None,
    form: FormatOption = Format.text,
) -> None:
    """Say what a deploy will change, in schedules, infrastructure, permissions and cost; refuse to lose data."""
    own = contexts.of(context)
    plan = own.plan()
    from_aws = prices == FROM_AWS
    table = prices_of(plan.region, Path(prices) if prices and not from_aws else None)
    if yes and not allow:
        raise InputError("--yes alone allows nothing", fix="name what may be replaced: --allow-replacement NAME --yes")
    account = Account(plan.region)
    account.check(plan)
    if from_aws:
        table = {**table, **price_list.prices_of(account, plan.region)}
    deployed: Deployed | None = None
    with contextlib.suppress(NotDeployedError):
        deployed = find(account, plan, to)
    after = synth(own.project_file, plan.environment, plan.region)
    found_stacks = stacks.of_plan(account, plan, after)
    before = stacks.templates(account, found_stacks)
    revision = revision_of(own.project)
    made = pushes.make(plan)
    found = compare(
        (before, deployed.plan() if deployed else None),
        (after, as_data(plan)),
        prices=table,
        settings=settings.compare(deployed.infrastructure, _facts(plan, made, own.project.folder)) if deployed else (),
        live_protection=stacks.protection(found_stacks),
        refusal=activation.refusal(
            deployed.manifest.live if deployed and deployed.manifest else None,
            revision.release(made.release, infrastructure.plan_sha256(plan), "deploy"),
        ),
    )
    if form is Format.json:
        show_json(found.as_data())
    else:
        show_report(found)
    for what, fix in filter(None, map(stacks.remnant, found_stacks)):
        _warn(f"{what}{': ' if fix else ''}{fix}")
    _refuse(found, set(allow or []), yes)


def _refuse(report: Report, allowed: set[str], yes: bool) -> None:
    names = {danger.name for danger in report.dangers}
    unknown = sorted(allowed - names)
    if unknown:
        fix = f"one of: {', '.join(sorted(names))}" if names else "leave --allow-replacement out"
        raise InputError(f"{unknown[0]!r} is not about to be replaced or deleted", fix=fix)
    # No --allow-replacement helps here, so this comes first.
    if report.refusal:
        what, _, fix = report.refusal.partition(". ")
        raise PenstockError(f"this deploy would be refused: {what}", fix=fix[:1].lower() + fix[1:])
    refused = report.dangers if not yes else report.refused(allowed)
    if refused:
        told = "\n".join(f"  - {danger.what}" for danger in refused)
        flags = " ".join(f"--allow-replacement {danger.name}" for danger in report.dangers)
        raise PenstockError(
            f"this deploy would lose data\n{told}", fix=f"take the change back; or, if it is meant: {flags} --yes"
        )
    impossible = next((move for move in report.airflow if move.problem), None)
    if impossible:
        fix = f"go to Airflow 2.11 first, or leave airflow.create.version at {impossible.before}"
        raise PenstockError(f"MWAA would refuse this deploy: {impossible}", fix=fix)
