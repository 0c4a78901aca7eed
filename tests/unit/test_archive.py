"""Archives whose bytes follow from their files alone."""

from __future__ import annotations

import io
import stat
import zipfile

from penstock.archive import Entry, pack


def test_bytes_follow_from_names_content_and_modes() -> None:
    """The order of the files does not count, and each of the three does."""
    tool, text = Entry(b"1", stat.S_IFREG | 0o755), Entry(b"2", 0o644)
    packed = pack({"b/tool": tool, "a.txt": text})

    assert pack({"a.txt": text, "b/tool": tool}) == packed
    assert pack({"a.txt": text, "b/tool": Entry(b"1", 0o755)}) != packed
    assert pack({"a.txt": text, "b/other": tool}) != packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert [(info.filename, info.external_attr >> 16) for info in archive.infolist()] == [
            ("a.txt", 0o644),
            ("b/tool", stat.S_IFREG | 0o755),
        ]
        assert archive.read("b/tool") == b"1"
