"""The Airflow that runs the schedules."""

from __future__ import annotations

from pydantic import Field

from penstock.project.airflow.catalogue import Catalogue
from penstock.project.airflow.existing import SelfManagedAirflow, UseAirflow
from penstock.project.airflow.mwaa import CreateAirflow
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern

WAYS = ("create", "use", "self_managed")
"""To an Airflow: a project takes exactly one of them, each environment its own."""
_DAG_PREFIX = worded_pattern(r"^[A-Za-z0-9_.-]*$", "what can begin a DAG id", "use letters, digits, `_`, `.` and `-`")


class Airflow(Strict):
    """The Airflow that runs the schedules: exactly one of `create`, `use` and `self_managed`."""

    create: CreateAirflow | None = None
    """An MWAA environment that Penstock creates."""
    use: UseAirflow | None = None
    """An MWAA environment that exists."""
    self_managed: SelfManagedAirflow | None = None
    """An Airflow that is not MWAA."""
    dag_prefix: str = Field("", pattern=_DAG_PREFIX, max_length=40)
    """Put before every DAG id, where several projects or environments share one Airflow."""
    catalogue: bool | Catalogue = False
    """Whether the MWAA environment's own DAGs, tasks and runs are catalogued in OpenMetadata, by the best way that the
    versions allow (`penstock plan` shows it). True, or how. Default false."""

    @property
    def chosen(self) -> CreateAirflow | UseAirflow | SelfManagedAirflow:
        """The one that is there; `load` has checked that it is one."""
        chosen = self.create or self.use or self.self_managed
        assert chosen is not None, "load has checked it"
        return chosen

    @property
    def environment(self) -> str | None:
        """The name of the MWAA environment, where the project says it."""
        if self.use is not None:
            return self.use.environment
        return self.create.name if self.create is not None else None

    def dag_id(self, schedule: str) -> str:
        """The DAG id of a schedule, from its own name or from what Meltano calls it."""
        return self.dag_prefix + schedule

    @property
    def way(self) -> str:
        """`create`, `use` or `self_managed`: the key of the chosen one."""
        return next(way for way in WAYS if getattr(self, way) is not None)
