"""Environments of one project in one Airflow. It knows a DAG by its id: of two with one id it shows either, without a
word, whichever file it has parsed last (Airflow, "DAGs": a DAG id must be unique)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from penstock.problem import DocumentPath, Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at
from penstock.project.environments import prefix_of
from penstock.project.meltano.project import MeltanoProject
from penstock.project.settings import Settings


@dataclass(frozen=True)
class _Airflow:
    """Where an environment's DAGs go. None: not known before a deploy."""

    account: str | None
    region: str
    mwaa: str | None
    """Name of the MWAA environment; None: it is none."""
    bucket: str | None
    folder: str
    """Airflow's DAG folder in the bucket; the bundle's folder is below it."""
    created: bool = False
    """Whether Penstock makes it: two of one name are refused as such (`across`)."""

    def shared_with(self, other: _Airflow) -> str | None:
        """What of theirs is one Airflow, in words; None: nothing is."""
        if self.region != other.region or _differ(self.account, other.account) or _differ(self.bucket, other.bucket):
            return None
        if self.mwaa is not None and self.mwaa == other.mwaa and not (self.created and other.created):
            return f"MWAA environment {self.mwaa!r}"
        if self.bucket is not None and self.bucket == other.bucket and (self._reads(other) or other._reads(self)):
            return f"the DAG folder of an MWAA environment in bucket {self.bucket!r}"
        return None

    def _reads(self, other: _Airflow) -> bool:
        """Whether MWAA, which copies all of its DAG folder, copies the other one's bundle too."""
        return self.mwaa is not None and f"{other.folder}/".startswith(f"{self.folder}/")


def check(
    environments: Mapping[str, tuple[Settings, Node]],
    meltanos: Mapping[str, MeltanoProject],
    document: Document,
) -> Iterator[Problem]:
    """DAG ids that two environments put into one MWAA environment."""
    before: list[tuple[str, _Airflow, frozenset[str]]] = []
    for name, (settings, root) in environments.items():
        airflow = _airflow_of(name, settings)
        if airflow is None:
            continue
        ids = _dag_ids(settings, meltanos)
        for other, theirs, taken in before:
            where = airflow.shared_with(theirs)
            both = sorted(ids & taken) if where else []
            if not both:
                continue
            what = f"environments {other!r} and {name!r} both put DAG {_listed(both)} into {where}, which shows one"
            fix = f"give each a dag_prefix of its own: write {{airflow: {{dag_prefix: {name}_}}}} in environment "
            key = ("use", "environment") if settings.airflow.use else ("create",)
            key = ("self_managed",) if settings.airflow.self_managed else key
            yield Problem(what, f"{fix}{name!r}", where=document.where(at(root, ("airflow", *key))))
            break
        before.append((name, airflow, ids))


def warnings(
    name: str, everywhere: Mapping[str, Settings], meltanos: Mapping[str, MeltanoProject], *, dag_files: bool
) -> Iterator[tuple[str, DocumentPath]]:
    """What an environment may share with another without anybody's being able to tell: (text, where).

    Args:
        dag_files: whether the project has DAG files of its own, whose ids nobody has read.
    """
    settings = everywhere[name]
    mine = _airflow_of(name, settings)
    for other, theirs in everywhere.items():
        their_airflow = _airflow_of(other, theirs)
        if other == name or mine is None or their_airflow is None:
            continue
        where = mine.shared_with(their_airflow)
        fetched = (
            mine.mwaa is their_airflow.mwaa is None and mine.bucket is not None and mine.bucket == their_airflow.bucket
        )
        both = sorted(_dag_ids(settings, meltanos) & _dag_ids(theirs, meltanos)) if fetched else []
        if both:
            yield (
                f"environments {name!r} and {other!r} both put DAG {_listed(both)} into bucket {mine.bucket!r}: an "
                "Airflow that fetches both folders shows one; give each environment a dag_prefix of its own",
                ("airflow", "self_managed", "bucket"),
            )
        elif dag_files and (where or fetched):
            yield (
                f"environments {name!r} and {other!r} share {where or f'bucket {mine.bucket!r}'}, and both bring the "
                "project's own DAG files, whose ids no dag_prefix changes: let them take the name of the folder that "
                "they lie in, <project>-<environment>, into their ids",
                ("airflow",),
            )


def _airflow_of(name: str, settings: Settings) -> _Airflow | None:
    """None: it is none of the three, which is reported elsewhere."""
    airflow = settings.airflow
    if (use := airflow.use) is not None:
        # The role is of the environment's account, whatever the project says.
        account = use.execution_role.split(":")[4] if use.execution_role.count(":") >= 5 else settings.account
        return _Airflow(account, settings.region, use.environment, use.bucket, use.dags)
    if (own := airflow.self_managed) is not None:
        return _Airflow(settings.account, settings.region, None, own.bucket, own.dags)
    if (new := airflow.create) is not None:
        folder = new.dags if new.bucket else ""
        mwaa = new.name or prefix_of(settings.name, name)
        return _Airflow(settings.account, settings.region, mwaa, new.bucket, folder, created=True)
    return None


def _dag_ids(settings: Settings, meltanos: Mapping[str, MeltanoProject]) -> frozenset[str]:
    """Of all schedules of an environment, Meltano's included."""
    names = [schedule.name for schedule in settings.schedules]
    if settings.meltano is not None and settings.meltano.project in meltanos:
        names += [schedule.dag_id for schedule in meltanos[settings.meltano.project].schedules]
    return frozenset(map(settings.airflow.dag_id, names))


def _differ(first: str | None, second: str | None) -> bool:
    return first is not None and second is not None and first != second


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
    return f"{ids[0]!r}{more}"
