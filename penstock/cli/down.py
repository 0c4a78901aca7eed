"""`down`: end the embedded system."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli import context as contexts
from penstock.cli.output import Steps, talk
from penstock.local import instance, interrupts, records, services


def down(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="End the processes, keep data and logs.")] = False,
) -> None:
    """End every process of the embedded system and remove its data and logs."""
    own = contexts.of(context)
    with instance.locked(own.folder):
        running = own.instance_or_none()
        if running is None:
            talk.print("nothing is up here")
            return
        steps = Steps()
        with interrupts.ignored(steps.note):
            running.ready = False
            with steps.step("end every process"):
                services.stop_all(running)
            if keep:
                running.save()
            else:
                records.remove(running)
