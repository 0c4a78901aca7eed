"""`meltano run …` in the project that the image holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from penstock_runtime import contract
from penstock_runtime.container.engines import Counts, Launch, version
from penstock_runtime.container.environment import read, read_json, refuse

DEFAULTS = {
    # Lower levels hide what plugins say, their errors included.
    "MELTANO_CLI_LOG_LEVEL": "info",
    "MELTANO_CLI_LOG_FORMAT": "uncolored",
    "NO_COLOR": "1",
}
"""Defaults that a task may override."""

FIXED = {
    # Plugins are in the image, from locks. Installing at run time would take the newest versions of the day.
    "MELTANO_AUTO_INSTALL": "false",
    "MELTANO_PROJECT_READONLY": "1",
    "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
}

ENVIRONMENT = "MELTANO_ENVIRONMENT"

_METRIC = "METRIC: "
"""Before what a tap of the Singer SDK reports, as Meltano prints it: `tap-x METRIC: {…}` or `tap-x INFO METRIC: {…}`. A
count is of the records since the tap's last one."""
_LONGEST = 16 * 1024
"""Characters. A longer line is not a count."""
_TAP = re.compile(r"\btap-\S")


def launch(environ: Mapping[str, str]) -> Launch:
    """`meltano` with the arguments of `PENSTOCK_COMMAND`.

    Raises:
        RunError: there are none, or no Meltano environment is named: Meltano would take the project's default, which
            is a developer's. Only `meltano elt` runs in projects without environments.
    """
    arguments = tuple(str(item) for item in read_json(environ, contract.COMMAND, list))
    if not arguments:
        refuse(contract.COMMAND, "holds an empty list")
    name = environ.get(ENVIRONMENT) if arguments[0] == "elt" else read(environ, ENVIRONMENT)
    environment = f"Meltano environment {name}" if name else "no Meltano environment"
    return Launch(
        command=("meltano", *arguments),
        title=f"meltano {version('meltano')}, {environment}: meltano {' '.join(arguments)}",
        environment={**{key: value for key, value in DEFAULTS.items() if key not in environ}, **FIXED},
        count=count,
    )


def count(line: str, counts: Counts) -> None:
    """Add up what taps report as read. Plugins whose names do not begin with `tap-` are not counted."""
    at = line.find(_METRIC + "{") if len(line) <= _LONGEST else -1
    if at < 0 or not _of_tap(line[:at]):
        return
    try:
        metric = json.loads(line[at + len(_METRIC) :])
    except (ValueError, RecursionError):
        return
    if metric.get("metric") == "record_count" and type(metric.get("value")) is int:
        counts.records = (counts.records or 0) + metric["value"]


def _of_tap(before: str) -> bool:
    """Whether a tap's name is the last word. Word by word from the end: a search would try each of its letters."""
    if not before[-1:].isspace():
        return False
    words = before.rsplit(maxsplit=2)
    if words[-1:] == ["INFO"]:
        words.pop()
    return bool(words) and _TAP.search(words[-1]) is not None
