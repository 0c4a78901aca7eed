"""`catalogue list`: what arrived in the recording catalogue of the embedded mode."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, show
from penstock.local.catalogue import client
from penstock.local.system import catalogue_state

app = typer.Typer(help="The recording catalogue of the embedded mode.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The recording catalogue of the embedded mode."""


@app.command("list")
def list_entities(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option("--kind", help="Only this kind: table, databaseSchema, …")] = None,
    form: FormatOption = Format.text,
) -> None:
    """List what arrived in the recording catalogue."""
    entities = client.entities(catalogue_state(contexts.of(context).instance()), kind)
    rows = [{**vars(entity), "updated_at": entity.updated_at.isoformat(timespec="seconds")} for entity in entities]
    show(rows, ["kind", "fqn", "type", "columns", "rows", "updated_at"], form, empty="nothing has arrived yet")
