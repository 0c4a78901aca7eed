"""What a command changes in a user's file: shown as a difference, written whole or not at all."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class FileChange:
    """The text of a file before and after."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """As `diff -u` shows it; empty: the file says it already."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            fromfile=f"{self.path} (before)",
            tofile=f"{self.path} (after)",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def write(self) -> None:
        """Write the file, whole or not at all; a link stays one, and so do mode and byte order mark."""
        target = self.path.resolve()
        mark = _BYTE_ORDER_MARK if target.read_bytes().startswith(_BYTE_ORDER_MARK) else b""
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(mark + self.after.encode())
        part.chmod(target.stat().st_mode)
        part.replace(target)
