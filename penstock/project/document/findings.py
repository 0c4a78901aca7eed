"""What a check finds in a file of the user's: an error, or a warning where it may be meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from penstock.project.document.problems import Problems


@dataclass(frozen=True)
class Finding:
    """One of them."""

    what: str
    fix: str
    where: str
    """`file:line:column`."""
    is_error: bool = True


def report_errors(findings: Iterable[Finding], problems: Problems) -> None:
    """Add those that are errors."""
    for one in findings:
        if one.is_error:
            problems.add(one.what, fix=one.fix, where=one.where)


def warnings(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """(text, where) of the others, each once."""
    yield from dict.fromkeys((f"{one.what}: {one.fix}", one.where) for one in findings if not one.is_error)
