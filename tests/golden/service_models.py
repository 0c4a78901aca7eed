"""What of the golden templates is held against the services' own models, and what is not, as a list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.aws.service_models import Walk, walk

HERE = Path(__file__).resolve().parent
LIST = HERE / "service_models.txt"
TYPE_ONLY = "its type alone: the model tells no limit"
HEAD = """\
Every property of the golden templates, and what the services' own models hold against it: see
penstock/aws/service_models. `at the deploy`: a reference, which the embedded AWS looks at when it is known.
"""


def templates() -> list[Path]:
    """All golden templates."""
    return sorted(HERE.glob("*/expected/*/*.template.json"))


def walked(found: Iterable[Mapping[str, Any]]) -> dict[str, Walk]:
    """Type → what was found in all resources of that type."""
    walks: dict[str, Walk] = {}
    for template in found:
        for resource in template["Resources"].values():
            own = walk(resource["Type"], resource.get("Properties", {}))
            whole = walks.setdefault(resource["Type"], Walk())
            whole.refused += own.refused
            whole.checked |= own.checked
            whole.unknown |= own.unknown
            whole.later |= own.later
    return walks


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in paths]


def listing() -> str:
    """The committed form of the list."""
    lines = [HEAD]
    for kind, found in sorted(walked(read(templates())).items()):
        lines.append(kind)
        for path in sorted({*found.checked, *found.unknown}):
            if path in found.checked:
                what = "; ".join(found.checked[path]) or TYPE_ONLY
                what += " (at the deploy)" if path in found.later else ""
            else:
                what = f"NOT CHECKED: {found.unknown[path]}"
            lines.append(f"  {path or 'all'}: {what}")
    return "\n".join(lines) + "\n"
