"""What a deploy will change: all comparisons together, and what of it must be asked for twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from penstock.aws.cloudformation import Templates
from penstock.cost import estimate
from penstock.cost.estimate import Cost
from penstock.cost.price_list import DATE, Prices
from penstock.diff import airflow, permissions, plans, protection, templates, unique
from penstock.diff.fields import Field


@dataclass(frozen=True)
class Danger:
    """Something that holds data, and that the deploy would delete or replace."""

    name: str
    what: str


@dataclass(frozen=True)
class Report:
    """The whole comparison."""

    schedules: tuple[plans.Change, ...]
    dag_files: tuple[tuple[str, str], ...]
    """(what happens, path)"""
    settings: tuple[Field, ...]
    """What the project says besides, against the last deploy; none where there was none."""
    resources: tuple[templates.Change, ...]
    left_over: tuple[str, ...]
    """Stacks that the project no longer has; a deploy leaves them."""
    protection: tuple[protection.Change, ...]
    """Stacks that get termination protection, or lose it."""
    permissions: tuple[permissions.Change, ...]
    before: Cost
    after: Cost
    dangers: tuple[Danger, ...]
    airflow: tuple[airflow.Move, ...]
    """Environments that get another version of Airflow."""
    refusal: str | None
    """Why the deploy would stop: something newer is live, or CloudFormation would refuse it. None: it would not."""

    @property
    def empty(self) -> bool:
        """Whether a deploy would change nothing."""
        return not (self.schedules or self.dag_files or self.resources or self.protection)

    def refused(self, allowed: Collection[str]) -> tuple[Danger, ...]:
        """The dangers that nobody has named."""
        return tuple(danger for danger in self.dangers if danger.name not in allowed)

    def as_data(self) -> dict[str, Any]:
        """For `--format json`."""
        costs = {
            when: {
                "fixed_monthly": estimate.fixed,
                "by_schedule_monthly_at_most": estimate.by_schedule,
                "lines": [asdict(line) for line in estimate.lines],
                "runs": [{**asdict(run), "monthly": run.monthly} for run in estimate.runs],
            }
            for when, estimate in (("before", self.before), ("after", self.after))
        }
        return {
            "schedules": [asdict(change) for change in self.schedules],
            "dag_files": [{"kind": kind, "path": path} for kind, path in self.dag_files],
            "settings": [asdict(change) for change in self.settings],
            "resources": [{**asdict(change), "loss": change.loss} for change in self.resources],
            "left_over_stacks": list(self.left_over),
            "termination_protection": [asdict(change) for change in self.protection],
            "permissions": [asdict(change) for change in self.permissions],
            "cost_usd": {**costs, "prices_of": DATE},
            "airflow_versions": [asdict(move) for move in self.airflow],
            "dangers": [asdict(danger) for danger in self.dangers],
            "refusal": self.refusal,
        }


def compare(
    before: tuple[Templates, Mapping[str, Any] | None],
    after: tuple[Templates, Mapping[str, Any]],
    *,
    prices: Prices,
    settings: Sequence[Field] = (),
    live_protection: Mapping[str, bool] = MappingProxyType({}),
    refusal: str | None = None,
) -> Report:
    """Compare what is deployed with what would be: templates and plan of each.

    Args:
        settings: what `penstock.diff.settings` found.
        live_protection: name → whether CloudFormation refuses to delete it, of the stacks that are there.
    """
    (old, old_plan), (new, new_plan) = before, after
    changes = templates.compare(old, new)
    # What an environment without a template of its own costs stays: a deploy touches none of the stacks left over.
    kept = {name: template for name, template in old.items() if name not in new}
    return Report(
        schedules=tuple(plans.compare(old_plan, new_plan)),
        dag_files=tuple(plans.dag_files(old_plan, new_plan)),
        settings=tuple(settings),
        resources=tuple(changes),
        left_over=tuple(templates.left_over(old, new)),
        protection=tuple(protection.compare(live_protection, bool(new_plan.get("protected")), new)),
        permissions=tuple(permissions.compare(old, {**kept, **new})),
        before=estimate.estimate(old, old_plan, prices),
        after=estimate.estimate({**kept, **new}, new_plan, prices),
        dangers=tuple(_danger(change) for change in changes if change.loss),
        airflow=tuple(airflow.moves(old, new, changes)),
        refusal=refusal or _held(templates.held(old, new)) or _taken([change for change in changes if change.taken]),
    )


def _held(exports: Sequence[templates.Held]) -> str | None:
    if not exports:
        return None
    first = exports[0]
    more = f", and {len(exports) - 1} more" if len(exports) > 1 else ""
    return (
        f"{first.stack} would change its export {first.name}{more}, and CloudFormation refuses that while "
        f"{' and '.join(first.importers)} imports it. Take the change back, or make it in a new environment of the "
        "project and delete this one"
    )


def _taken(changes: Sequence[templates.Change]) -> str | None:
    if not changes:
        return None
    first = changes[0]
    more = f" (and {len(changes) - 1} more like it)" if len(changes) > 1 else ""
    why = f"would be replaced, because {', '.join(first.because)} cannot change" if first.because else "would be made"
    return (
        f"{_kind(first)} {first.name} {why}, and the new one finds {first.taken} taken by the one that is there{more}. "
        f"Take the change back, {unique.fix(first.type)}"
    )


def _kind(change: templates.Change) -> str:
    return change.type.removeprefix("AWS::").replace("::", " ")


def _danger(change: templates.Change) -> Danger:
    kind = _kind(change)
    if change.kind == "removed":
        return Danger(change.name, f"{kind} {change.name} would be deleted, and with it {change.loss}")
    why = ", ".join(change.because)
    lost = f"the new one has nothing of {change.loss}"
    return Danger(change.name, f"{kind} {change.name} would be replaced, because {why} cannot change: {lost}")
