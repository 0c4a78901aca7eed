"""How `diff` and `push` report changes: lines with a sign in front, what is dangerous last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.cli.output import data
from penstock.cost.estimate import Cost
from penstock.cost.price_list import DATE
from penstock.diff import plans, protection, templates
from penstock.diff.report import Report
from penstock_runtime.errors import visible

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "replaced": "!", "gained": "+", "lost": "-"}
_MANY = 40
"""Of one kind on a screen, each with its fields; `--format json` has all of them."""
_TAGS = "Tags"


def show_schedules(changes: Iterable[plans.Change]) -> None:
    """Print what happens to schedules, field by field."""
    lines = []
    for change in changes:
        note = f" ({change.note})" if change.note else ""
        lines.append("\n    ".join([f"{_SIGNS[change.kind]} schedule {change.dag_id}{note}", *map(str, change.fields)]))
    _print(lines or ["no schedule changes"])


def show_report(report: Report) -> None:
    """Print the whole comparison."""
    _title("Schedules")
    show_schedules(report.schedules)
    _print([f"{_SIGNS[kind]} dags/{path}" for kind, path in report.dag_files])
    _title("Settings")
    _print([f"~ {field}" for field in report.settings] or ["no settings changes"])
    _title("Infrastructure")
    _print(resources(report.resources) or ["no resource changes"])
    _print(_protection(report.protection))
    _print([str(move) for move in report.airflow])
    for stack in report.left_over:
        data.print(f"  stack {stack} is no longer in the project; it stays until somebody deletes it", markup=False)
    _title("Permissions")
    _print([f"{_SIGNS[change.kind]} {change}" for change in report.permissions] or ["no permission changes"])
    _title(f"Cost a month, US dollars, prices of {DATE}")
    _print(_costs(report.before, report.after))


def resources(changes: Sequence[templates.Change]) -> list[str]:
    """What happens to resources, what matters most first; those that get other tags and nothing else, in one."""
    tagged = [change for change in changes if change.kind == "changed" and change.properties == (_TAGS,)]
    lines = [_resource(change) for change in sorted(changes, key=_rank) if change not in tagged]
    if tagged:
        fields = dict.fromkeys(str(field) for change in tagged for field in change.fields)
        count = f"{len(tagged)} resources" if len(tagged) > 1 else _called(tagged[0])
        lines.append("\n    ".join([f"~ {count}: {_TAGS} only", *fields]))
    return lines


def _rank(change: templates.Change) -> int:
    """What goes, what is replaced, what a person can read of the rest; then what comes, and what is but a hash."""
    if change.kind == "changed":
        return 2 if _fields(change) else 4
    return {"removed": 0, "replaced": 1, "added": 3}[change.kind]


def _resource(change: templates.Change) -> str:
    more = f": {', '.join(change.properties)}" if change.properties else ""
    if change.kind == "removed" and change.retained:
        more = " leaves its stack and stays in the account"
    if change.kind == "replaced":
        whole = {path.partition(".")[0] for path in change.because}
        also = [name for name in change.properties if name not in whole]
        more = f" is replaced, because of {', '.join(change.because)}"
        more += f"; also changed: {', '.join(also)}" if also else ""
    stays = [f"not taken back by AWS: {stay}" for stay in change.stays]
    return "\n    ".join([f"{_SIGNS[change.kind]} {_called(change)}{more}", *_fields(change), *stays])


def _fields(change: templates.Change) -> list[str]:
    """Tags are listed once, as a setting of the project, and not with each resource."""
    return [str(field) for field in change.fields if field.path.partition(".")[0] != _TAGS]


def _called(change: templates.Change) -> str:
    return f"{change.type.removeprefix('AWS::').replace('::', ' ')} {change.name}"


def _protection(changes: Sequence[protection.Change]) -> list[str]:
    words = {True: "termination protection off → on", False: "termination protection on → off"}
    stacks = {after: [change.stack for change in changes if change.after is after] for after in words}
    return [f"~ {words[after]}: {', '.join(names)}" for after, names in stacks.items() if names]


def _costs(before: Cost, after: Cost) -> list[str]:
    old, new = ({line.what: line for line in cost.lines} for cost in (before, after))
    lines = []
    for what in sorted({*old, *new}):
        was, is_now = old.get(what), new.get(what)
        counts = [f"{line.count:g}" if line else "0" for line in (was, is_now)]
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
    amounts = ["unknown" if amount is None else f"{amount:.2f}" for amount in (before, after)]
    return amounts[1] if amounts[0] == amounts[1] else f"{amounts[0]} → {amounts[1]}"


def _title(text: str) -> None:
    data.print(f"\n{text}", style="bold", markup=False)


def _print(entries: Sequence[str]) -> None:
    for line in (line for entry in entries[:_MANY] for line in entry.splitlines()):
        data.print(f"  {visible(line)}", markup=False)
    if len(entries) > _MANY:
        data.print(f"  … and {len(entries) - _MANY} more: --format json has them all", markup=False)
