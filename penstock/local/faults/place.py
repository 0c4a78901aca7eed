"""Where a running proxy listens."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PATH = "/_penstock/faults"
PLACE_FILE = "faults.json"
"""Written into the proxy's folder when it is ready, and gone when it ends."""


@dataclass(frozen=True)
class Place:
    """The ports of a proxy on 127.0.0.1, by whose calls they take."""

    airflow: int
    tasks: int
    desk: int
    control: int
    """Plain HTTP, for rules and counts; the others are TLS with the embedded AWS's certificate."""
    file: str = ""
    """The file of rules, in full; empty: it was started without one."""
    through_desk: bool = False
    """Whether the commands and the deploy go through the proxy, too."""

    @property
    def url(self) -> str:
        """Where rules and counts are."""
        return f"http://127.0.0.1:{self.control}{PATH}"

    @classmethod
    def load(cls, folder: Path) -> Place | None:
        """The proxy whose folder this is; None: it is not running."""
        try:
            return cls(**json.loads((folder / PLACE_FILE).read_text()))
        except FileNotFoundError:
            return None

    def write(self, folder: Path) -> None:
        """Say that the proxy is ready."""
        new = folder / f"{PLACE_FILE}.new"
        new.write_text(json.dumps(asdict(self), indent=2) + "\n")
        new.replace(folder / PLACE_FILE)
