"""`deploy-policy`: what CloudFormation's execution role needs to deploy the project, for `cdk bootstrap`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, Steps, data, show_json, talk
from penstock.compile.compiler import compile_plan
from penstock.deploy_policy.bootstrap import Bootstrap, file_of
from penstock.deploy_policy.documents import Policy, pack
from penstock.deploy_policy.scope import Deployment
from penstock.deploy_policy.statements import statements
from penstock.deployed.account import Account
from penstock.deployed.synth import synth
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan

_FOLDER = "."


@dataclass(frozen=True)
class _Found:
    """The policies of one execution role."""

    bootstrap: Bootstrap
    environments: list[str]
    policies: list[Policy]
    commands: list[str]

    def as_data(self) -> dict[str, Any]:
        return {
            "account": self.bootstrap.account,
            "region": self.bootstrap.region,
            "role": self.bootstrap.role,
            "environments": self.environments,
            "policies": [
                {
                    "name": policy.name,
                    "document": policy.document,
                    "reasons": {
                        sid: list(statement.reasons) for sid, statement in policy.by_sid.items() if statement.reasons
                    },
                }
                for policy in self.policies
            ],
            "commands": self.commands,
        }


def deploy_policy(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", help="Folder to write the policies to, a file for each.")
    ] = None,
    form: FormatOption = Format.text,
) -> None:
    """Print the IAM policies that CloudFormation needs to deploy the project, in the place of AdministratorAccess.

    `cdk bootstrap` makes one execution role for an account and region; it gets what all environments there need, or
    with `--environment` before the command that one alone. AWS is asked for nothing but the account, where the project
    does not name it. The policies name what is in the templates now: print them again before a deploy of other kinds
    of resources.
    """
    own = contexts.of(context)
    plans = [compile_plan(own.project, name) for name in own.project.environments]
    chosen = [plan for plan in plans if own.environment in (None, plan.environment)]
    if not chosen:
        own.plan()  # says which there are
    unnamed = next((plan for plan in chosen if plan.account is None), None)
    caller = Account(unnamed.region).number if unnamed else None
    groups: dict[Bootstrap, list[Plan]] = {}
    for plan in chosen:
        groups.setdefault(Bootstrap.of(plan, plan.account or str(caller)), []).append(plan)
    roles = []
    for bootstrap, wanted in groups.items():
        roles.append(_find(own.project_file, bootstrap, wanted, str(output or _FOLDER)))
        others = (plan for plan in plans if plan not in chosen and plan.account in (None, bootstrap.account))
        _warn(bootstrap, [plan.environment for plan in others if Bootstrap.of(plan, bootstrap.account) == bootstrap])
    if output is not None:
        _write(output, roles)
    if form is Format.json:
        show_json([role.as_data() for role in roles])
        return
    for role in roles:
        _show(role, written=output is not None)


def _find(project: Path, bootstrap: Bootstrap, plans: list[Plan], folder: str) -> _Found:
    deployments = []
    for plan in plans:
        with Steps().step(f"synthesize {plan.environment}"):
            deployments.append(Deployment(plan, synth(project, plan.environment, plan.region)))
    policies = pack(statements(deployments, bootstrap.account), bootstrap.policy_name(plans))
    environments = [plan.environment for plan in plans]
    return _Found(bootstrap, environments, policies, bootstrap.commands(policies, folder))


def _warn(bootstrap: Bootstrap, others: list[str]) -> None:
    if others:
        talk.print(
            f"warning: {bootstrap.role} deploys {', '.join(others)}, too (the same account and region), and would no "
            "longer be able to: leave --environment out, or give an environment an iam.bootstrap_qualifier of its own",
            style="yellow",
            markup=False,
        )


def _write(folder: Path, roles: list[_Found]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for policy in (policy for role in roles for policy in role.policies):
            text = json.dumps(policy.document, indent=2) + "\n"
            (folder / file_of(policy)).write_text(text, encoding="utf-8")
    except OSError as error:
        fix = "name a folder with --output that you may write to"
        raise InputError(f"cannot write to {folder}: {error.strerror}", fix=fix) from None


def _show(role: _Found, *, written: bool) -> None:
    data.print(f"{role.bootstrap.role}, for {', '.join(role.environments)}", style="bold", markup=False)
    for policy in role.policies:
        data.print(f"\n{policy.name}, {policy.size} characters", markup=False)
        for sid, statement in policy.by_sid.items():
            data.print(f"  {sid} {', '.join(statement.actions)}", markup=False)
            for resource in statement.resources:
                data.print(f"      on {resource}", style="dim", markup=False)
            for operator, keys in statement.condition.items():
                for key, value in keys.items():
                    data.print(f"      if {key} {operator} {_text(value)}", style="dim", markup=False)
            for reason in statement.reasons:
                data.print(f"      because {reason}", style="dim", markup=False)
    data.print("")
    if not written:
        talk.print("nothing is written: --output FOLDER writes the policies; then", markup=False)
    for command in role.commands:
        data.print(command, markup=False)
    data.print("")


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else " or ".join(value)
