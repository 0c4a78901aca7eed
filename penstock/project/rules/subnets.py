"""Which subnets tasks run in, and what a VPC that another account shares asks of the account, the role and MWAA."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.aws import arns
from penstock.problem import Problem
from penstock.project.document.problems import nearest
from penstock.project.network.checks import check_ids
from penstock.project.network.model import UseNetwork
from penstock.project.settings import Settings


def check_subnets(settings: Settings) -> Iterator[Problem]:
    """Only an existing network names subnets."""
    use = settings.network.use
    if use is not None:
        yield from _check_owner(settings, use)
        yield from _check_tasks(settings, use)


def _check_owner(settings: Settings, use: UseNetwork) -> Iterator[Problem]:
    """A VPC that another account shares: its role, its groups, and MWAA told that it cannot make endpoints there."""
    if use.shared_by is None:
        return
    here = ("network", "use", "shared_by")
    yield from check_ids("sg", use.shared_by.security_groups, *here, "security_groups")
    role, groups = use.shared_by.role, use.shared_by.security_groups
    if (role is None) != (not groups):
        what = "the role makes endpoints with security groups of the owner's, and there are none"
        fix = "name them in security_groups"
        if role is None:
            what, fix = "these are for endpoints that a role of the owner's makes, and there is none", "add role, or "
            fix += "remove security_groups: the owner, who makes the endpoints by hand, chooses them"
        yield Problem(what, fix, (*here, "security_groups" if role is None else "role"), at_key=True)
    if role is not None and role.split(":")[4] == settings.account:
        fix = "leave shared_by out: the VPC is this account's own"
        yield Problem("the role is in the account of the deploy", fix, (*here, "role"))
    if role is not None and (wrong := arns.wrong_partition(role, settings.region)):
        yield wrong.at(*here, "role")
    create = settings.airflow.create
    if create is not None and create.endpoint_management != "customer":
        fix = "add endpoint_management: customer to airflow.create"
        yield Problem("MWAA cannot make endpoints in a VPC of another account", fix, here, at_key=True)


def _check_tasks(settings: Settings, use: UseNetwork) -> Iterator[Problem]:
    """Each task's group of subnets is one of the network's."""
    named: list[tuple[str | None, tuple[str | int, ...]]] = [
        (settings.defaults.task.subnets, ("defaults", "task", "subnets"))
    ]
    for job, job_settings in settings.jobs.items():
        named += [
            (task.subnets, ("jobs", job, "tasks", index, "subnets")) for index, task in enumerate(job_settings.tasks)
        ]
    for name, path in named:
        if name is not None and name not in use.subnet_groups:
            fix = nearest(name, use.subnet_groups, kind="group in network.use.subnet_groups")
            yield Problem(f"there is no group of subnets {name[:60]!r}", fix, path)
