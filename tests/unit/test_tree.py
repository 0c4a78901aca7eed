"""What must hold for the tree as a whole: its map, the names of its tests, its wording."""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("penstock", "runtime", "stacks", "dags", "benchmarks", "requirements", "tests", "app.py")
PROSE = ("docs", "README.md", "CONTRIBUTING.md", "AGENTS.md")

ODD = {
    r"(?<!\b[Tt]here )\b(is|are) no (?!longer\b|more\b|less\b|later\b|earlier\b|larger\b|other\b)[a-z]": "is not a …",
    r"\bwants\b": "must be …, needs …",
    r"\belse it were\b": "otherwise …",
    r"\bfor whom\b": "say who does what",
    r"(?<!\b[Tt]here )\b(is|are) no (YAML|IANA|IPv4|IPv6|ARN)\b": "is not a …",
    r"\bholds no (mapping|project|object|file)\b": "is not a mapping, has no files",
    r"\bmissing,? or no [a-z]": "is missing, or is not a …",
    r"\b(is|are) (there|here) twice\b": "is defined twice, is listed twice",
    r"\bas it is\b(?! in use)": "unchanged, in plain text",
    r"\bwho gives way\b": "an older commit never replaces …",
    r"\b(tell|tells|told) of\b": "report, describe",
    r"\bnobody is told\b": "nobody is notified",
}
"""Phrases that are not plain English → what to write instead."""


def _files(places: tuple[str, ...], *ends: str) -> list[Path]:
    paths = [
        path for place in places for path in ([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*"))
    ]
    return sorted(path for path in paths if path.suffix in ends and path != Path(__file__).resolve())


@functools.cache
def _texts() -> list[tuple[str, str]]:
    """(Path, text) of all code and prose."""
    return [
        (str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for path in [*_files(CODE, ".py"), *_files(PROSE, ".md")]
        if "expected" not in path.parts
    ]


def test_paths_in_the_guide_exist() -> None:
    """A guide that names a file which has moved sends people nowhere."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`((?:penstock|runtime|stacks|tests|docs|schema|benchmarks|requirements)/[\w./-]+)`", text))

    assert len(named) > 20
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_no_two_test_files_share_a_name() -> None:
    """What pytest prints then says which file it is, and an editor's search finds one."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py") if "golden" not in path.parts[:-2])

    assert [name for name, count in names.items() if count > 1] == []


def test_helpers_are_not_imported_from_test_files() -> None:
    """They are in `conftest.py` or in a module of their folder."""
    importing = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in _files(("tests",), ".py")
        for line in path.read_text().splitlines()
        if re.match(r"\s*from tests\.[\w.]*\btest_\w+ import", line)
    ]

    assert importing == []


@pytest.mark.parametrize("phrase", ODD)
def test_wording_is_plain(phrase: str) -> None:
    """Messages, docstrings, comments and guides read as a native engineer would write them."""
    odd = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path, text in _texts()
        for match in re.finditer(phrase, text)
    ]

    assert odd == [], f"write instead: {ODD[phrase]}"
