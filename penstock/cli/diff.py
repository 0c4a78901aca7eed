"""`diff`: compare the project with what is deployed in AWS, and refuse a deploy that would lose data.

Uses the caller's AWS credentials, as the AWS CLI would, and changes nothing. Exit codes: 0 nothing dangerous, or all of
it allowed; 1 refused or failed; 2 wrong input.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from penstock.bundle.revision import revision_of
from penstock.cli import context as contexts
from penstock.cli.changes import show_report
from penstock.cli.options import FormatOption, ToOption
from penstock.cli.output import Format, show_json, warn
from penstock.cost.price_list import prices_of
from penstock.deployed import price_list, stacks
from penstock.deployed import push as pushes
from penstock.deployed.account import Account
from penstock.deployed.state import Deployed, NotDeployedError, find
from penstock.deployed.synth import synth
from penstock.diff import settings
from penstock.diff.plans import as_data
from penstock.diff.report import Report, compare
from penstock_runtime.errors import InputError, PenstockError
from penstock_runtime.release import activation, infrastructure

FROM_AWS = "aws"


def diff(
    context: typer.Context,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow-replacement", help="NAME may be replaced or deleted, with its data; needs --yes, too."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm --allow-replacement.")] = False,
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
    deployed_stacks = stacks.of_plan(account, plan, after)
    before = stacks.templates(account, deployed_stacks)
    revision = revision_of(own.project)
    bundle = pushes.make(plan)
    report = compare(
        (before, deployed.plan() if deployed else None),
        (after, as_data(plan)),
        prices=table,
        settings=settings.compare(
            deployed.infrastructure, pushes.infrastructure_facts(plan, bundle, own.project.folder)
        )
        if deployed
        else (),
        live_protection=stacks.protection(deployed_stacks),
        refusal=activation.refusal(
            deployed.manifest.live if deployed and deployed.manifest else None,
            revision.release(bundle.release, infrastructure.plan_sha256(plan), "deploy"),
        ),
    )
    if form is Format.json:
        show_json(report.as_data())
    else:
        show_report(report)
    for what, fix in filter(None, map(stacks.remnant, deployed_stacks)):
        warn(f"{what}{': ' if fix else ''}{fix}")
    _refuse(report, set(allow or []), yes)


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
        losses = "\n".join(f"  - {danger.what}" for danger in refused)
        flags = " ".join(f"--allow-replacement {danger.name}" for danger in report.dangers)
        raise PenstockError(
            f"this deploy would lose data\n{losses}", fix=f"take the change back; or, if it is meant: {flags} --yes"
        )
    impossible = next((move for move in report.airflow if move.problem), None)
    if impossible:
        fix = f"go to Airflow 2.11 first, or leave airflow.create.version at {impossible.before}"
        raise PenstockError(f"MWAA would refuse this deploy: {impossible}", fix=fix)
