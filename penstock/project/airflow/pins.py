"""Versions in a requirements file that pip cannot have: for one line that it cannot meet it installs none at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from penstock.problem import Problem
from penstock.project.document.problems import shown
from penstock.versions import airflow as versions
from penstock.versions import airflow_constraints

AMAZON = "apache-airflow-providers-amazon"
OLDEST_AMAZON = "8.24.0"
"""The operator in the bundle is written for it and later ones."""
_AIRFLOW = frozenset({"apache-airflow", "apache-airflow-core"})
"""`packages` has a word on these."""


@dataclass
class Pins:
    """The packages of one file, looked at in its order."""

    airflow_version: str
    has_own_constraints: bool
    """Whether the file names constraints that are not Airflow's."""
    _seen: dict[str, tuple[int, Requirement]] = field(default_factory=dict)

    def problem(self, wanted: Requirement, line: int) -> Problem | None:
        """What is wrong with a package that a line asks for, on the Python of that Airflow; None: nothing known."""
        name = canonicalize_name(wanted.name)
        if wanted.url is not None or name in _AIRFLOW:
            return None
        first = self._seen.setdefault(name, (line, wanted))
        if first[1] is not wanted and not _agree(first[1], wanted):
            asked = shown(str(first[1].specifier))
            what = f"{name} is on line {first[0]} with {asked}: pip cannot have both, and installs nothing of the file"
            return Problem(what, "keep one of the two lines")
        return self._held(name, wanted)

    def _held(self, name: str, wanted: Requirement) -> Problem | None:
        constraints = airflow_constraints.essential if self.has_own_constraints else airflow_constraints.pins
        held = constraints(self.airflow_version).get(name)
        if held is not None and not wanted.specifier.contains(held, prereleases=True):
            own, airflow = self.has_own_constraints, self.airflow_version
            whose = "MWAA holds" if own else f"the constraints of Airflow {airflow} hold"
            asked = shown(str(wanted.specifier))
            what = f"{whose} {name} at {held}, and this asks for {asked}: pip installs nothing of the file"
            fix = f"write {name}=={held}, or leave the version out"
            if not own and name not in airflow_constraints.essential(airflow):
                fix += "; for another, name constraints of your own: see docs/deploy.md"
            return Problem(what, fix)
        if name == AMAZON and not any(
            wanted.specifier.contains(version, prereleases=True) for version in _amazon(wanted)
        ):
            what = f"Penstock's operator needs {AMAZON} {OLDEST_AMAZON} or later, and this asks for {wanted.specifier}"
            return Problem(what, "ask for a later one, or leave the line out: MWAA brings it")
        return None


def _agree(first: Requirement, second: Requirement) -> bool:
    """Whether one version can meet both, as far as a version that is asked for exactly tells."""
    exact = [
        specifier.version for of in (first, second) for specifier in of.specifier if specifier.operator in ("==", "===")
    ]
    exact = [version for version in exact if not version.endswith(".*")]
    both = first.specifier & second.specifier
    return all(both.contains(version, prereleases=True) for version in exact)


def _amazon(wanted: Requirement) -> list[str]:
    """Versions of the provider that the operator runs on, and that a requirement may mean."""
    known = [OLDEST_AMAZON, *(row.amazon_provider for row in versions.AIRFLOW.values()), "9999"]
    return [*known, *(specifier.version for specifier in wanted.specifier if _is_late(specifier.version))]


def _is_late(text: str) -> bool:
    try:
        return Version(text) >= Version(OLDEST_AMAZON)
    except InvalidVersion:
        return False
