"""Numbers that are written with their unit, where the key's name has it: `1 vCPU`, `2 GB`, `2h`."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\.?")
_MIB = {"mib": 1, "mb": 1, "m": 1, "mi": 1, "gib": 1024, "gb": 1024, "g": 1024, "gi": 1024}
_MINUTES = {"m": 1, "min": 1, "mins": 1, "minute": 1, "minutes": 1, "h": 60, "hr": 60, "hour": 60, "hours": 60}
_BY_END: dict[str, dict[str, float]] = {
    "cpu_units": {"vcpu": 1024, "vcpus": 1024, "cpu": 1024, "cpus": 1024, "units": 1},
    "_mib": {name: float(factor) for name, factor in _MIB.items()},
    "_gib": {name: factor / 1024 for name, factor in _MIB.items()},
    "_minutes": {**{name: float(factor) for name, factor in _MINUTES.items()}, "s": 1 / 60, "d": 1440.0},
    "_days": {"d": 1, "day": 1, "days": 1, "w": 7, "weeks": 7},
}
"""What a key ends with → unit → how many of the key's own."""


def number(key: str, text: str) -> int | None:
    """The whole number that a text with a unit means under a key; None: it means none."""
    written = _WRITTEN.fullmatch(text.strip())
    units = next((units for end, units in _BY_END.items() if key.endswith(end)), {})
    if written is None or written[2].lower() not in units or len(written[1]) > 9:
        return None
    value = float(written[1]) * units[written[2].lower()]
    return int(value) if value == int(value) else None
