"""Exports as CloudFormation guards them: one that another stack imports can neither change nor go away."""

from __future__ import annotations

from typing import Any

from penstock.local.aws import compat


def install() -> None:
    """Check the exports of each stack operation when its outputs are known; an error rolls the operation back."""
    resolve = compat.stacks._resolve_stack_outputs

    def resolve_outputs(*arguments: Any) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
        outputs, exports = resolve(*arguments)
        stack_name, stack_id = arguments[-2], arguments[-1]
        _check(exports, stack_name, stack_id)
        return outputs, exports

    compat.stacks._resolve_stack_outputs = resolve_outputs


def _check(new: dict[str, dict[str, Any]], stack_name: str, stack_id: str) -> None:
    known = compat.cloudformation._exports
    gone = []
    for name, export in known.items():
        if export["StackId"] != stack_id:
            if name in new:
                owner = export["StackId"].split("/")[1]
                raise ValueError(f"Export with name {name} is already exported by stack {owner}")
            continue
        if name in new and new[name]["Value"] == export["Value"]:
            continue
        importers = _importers(name, stack_name)
        if importers:
            verb = "updated" if name in new else "deleted"
            raise ValueError(f"Export {name} cannot be {verb} as it is in use by {importers}")
        if name not in new:
            gone.append(name)
    for name in gone:  # ministack keeps the exports that a stack no longer has
        del known[name]


def _importers(export: str, exporter: str) -> str:
    """The stacks that import it, by name."""
    found = [
        name
        for name, stack in compat.cloudformation._stacks.items()
        if name != exporter
        and not stack["StackStatus"].startswith(("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"))
        and export in compat.handlers._imported_export_names(stack, name)
    ]
    return " and ".join(found)
