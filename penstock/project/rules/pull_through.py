"""What environments must not share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at
from penstock.project.meltano.project import MeltanoProject
from penstock.project.rules import shared_airflow
from penstock.project.settings import Settings
from penstock_runtime.plan.schedule import ENGINES


def check(
    environments: Mapping[str, tuple[Settings, Node]],
    meltanos: Mapping[str, MeltanoProject],
    document: Document,
) -> Iterator[Problem]:
    """A DAG id in one Airflow; a pull-through rule, and the name of an MWAA environment, in one account.

    Args:
        meltanos: folder as in the project file → Meltano project; their schedules have DAG ids, too.
    """
    yield from shared_airflow.check(environments, meltanos, document)
    yield from _check_rules(environments, document)
    yield from _check_names(environments, document)


def _check_rules(environments: Mapping[str, tuple[Settings, Node]], document: Document) -> Iterator[Problem]:
    """One account has one pull-through rule for each prefix and region (Amazon ECR API Reference,
    CreatePullThroughCacheRule): the second deploy that makes it fails. A prefix that is not named is unique."""
    first: dict[tuple[str | None, str, str], str] = {}
    for name, (settings, root) in environments.items():
        for engine in ENGINES:
            cache = getattr(settings.images, engine).pull_through
            if cache is None or cache.prefix is None or not cache.create:
                continue
            other = first.setdefault((settings.account, settings.region, cache.prefix), name)
            if other == name:
                continue
            where = document.where(at(root, ("images", engine, "pull_through", "prefix")))
            whose = f"account {settings.account}" if settings.account else "one account"
            create = "create: false, credentials: null" if cache.credentials else "create: false"
            fix = f"write {{images: {{{engine}: {{pull_through: {{{create}}}}}}}}} in environment {name!r}"
            fix += ", which then uses the rule of the other, or give it a prefix of its own"
            if settings.account is None:
                fix += "; or name their accounts, where they differ"
            what = f"environments {other!r} and {name!r} both make the pull-through rule {cache.prefix!r} of {whose}"
            yield Problem(f"{what} in {settings.region}", fix, where=where)


def _check_names(environments: Mapping[str, tuple[Settings, Node]], document: Document) -> Iterator[Problem]:
    """One account and region has one MWAA environment of a name: the second deploy that makes it fails."""
    first: dict[tuple[str | None, str, str], str] = {}
    for name, (settings, root) in environments.items():
        create = settings.airflow.create
        if create is None or create.name is None:
            continue
        other = first.setdefault((settings.account, settings.region, create.name), name)
        if other == name:
            continue
        fix = f"give each a name of its own: write {{airflow: {{create: {{name: …}}}}}} in environment {name!r}"
        if settings.account is None:
            fix += "; or name their accounts, where they differ"
        what = f"environments {other!r} and {name!r} both create the MWAA environment {create.name!r}"
        where = document.where(at(root, ("airflow", "create", "name")))
        yield Problem(f"{what} in {settings.region}", fix, where=where)
