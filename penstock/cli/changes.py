"""How `diff` and `push` tell of changes: lines with a sign in front, what is dangerous last."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.cli.output import data
from penstock.diff import plans, templates
from penstock.diff.cost import Cost
from penstock.diff.prices import DATE
from penstock.diff.report import Report

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "replaced": "!", "gained": "+", "lost": "-"}
_MANY = 40
"""Lines of one kind on a screen; `--format json` has all of them."""


def show_schedules(changes: Iterable[plans.Change]) -> None:
    """Print what happens to schedules, field by field."""
    lines = []
    for change in changes:
        note = f" ({change.note})" if change.note else ""
        lines.append(f"{_SIGNS[change.kind]} schedule {change.dag_id}{note}")
        lines += [f"    {field}" for field in change.fields]
    _print(lines or ["no schedule changes"])


def show_report(report: Report) -> None:
    """Print the whole comparison."""
    _title("Schedules")
    show_schedules(report.schedules)
    _print([f"{_SIGNS[kind]} DAG file {path}" for kind, path in report.dag_files])
    _title("Infrastructure")
    _print([line for one in report.resources for line in _resource(one)] or ["no resource changes"])
    _print([str(one) for one in report.airflow])
    for stack in report.left_over:
        data.print(f"  stack {stack} is no longer in the project; it stays until somebody deletes it", markup=False)
    _title("Permissions")
    _print([f"{_SIGNS[one.kind]} {one}" for one in report.permissions] or ["no permission changes"])
    _title(f"Cost a month, US dollars, prices of {DATE}")
    _print(_costs(report.before, report.after))


def _resource(change: templates.Change) -> list[str]:
    kind = change.type.removeprefix("AWS::").replace("::", " ")
    more = f": {', '.join(change.properties)}" if change.properties else ""
    if change.kind == "removed" and change.retained:
        more = " leaves its stack and stays in the account"
    if change.kind == "replaced":
        more = f" is replaced, because of {', '.join(change.properties)}"
    stays = [f"    not taken back by AWS: {one}" for one in change.stays]
    return [f"{_SIGNS[change.kind]} {kind} {change.name}{more}", *stays]


def _costs(before: Cost, after: Cost) -> list[str]:
    old, new = ({line.what: line for line in cost.lines} for cost in (before, after))
    lines = []
    for what in sorted({*old, *new}):
        was, is_now = old.get(what), new.get(what)
        counts = [f"{one.count:g}" if one else "0" for one in (was, is_now)]
        count = counts[1] if counts[0] == counts[1] else f"{counts[0]} → {counts[1]}"
        money = _change(was.monthly if was else 0.0, is_now.monthly if is_now else 0.0)
        lines.append(f"{what} ({count}): {money}")
    lines.append(f"all that runs all the time: {_change(before.fixed, after.fixed)}")
    lines.append(f"runs, if every task took its whole timeout: {_change(before.by_schedule, after.by_schedule)}")
    if None in (before.fixed, after.fixed, before.by_schedule, after.by_schedule):
        lines.append("unknown: Penstock has no price for this; `--prices aws` asks AWS, `--prices FILE` has yours")
    old_runs = {run.dag_id: run for run in before.runs}
    for run in after.runs:
        was_run = old_runs.get(run.dag_id)
        if was_run is None or was_run.at_most != run.at_most or was_run.runs != run.runs:
            each = "unknown" if run.at_most is None else f"{run.at_most:.4f}"
            lines.append(f"  {run.dag_id}: at most {each} a run, {run.runs:.1f} runs a month")
    return lines


def _change(before: float | None, after: float | None) -> str:
    told = ["unknown" if one is None else f"{one:.2f}" for one in (before, after)]
    return told[1] if told[0] == told[1] else f"{told[0]} → {told[1]}"


def _title(text: str) -> None:
    data.print(f"\n{text}", style="bold", markup=False)


def _print(lines: list[str]) -> None:
    for line in lines[:_MANY]:
        data.print(f"  {line}", markup=False)
    if len(lines) > _MANY:
        data.print(f"  … and {len(lines) - _MANY} more lines: --format json has them all", markup=False)
