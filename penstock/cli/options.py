"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.output import Format

FormatOption = Annotated[Format, typer.Option("--format", help="How to print the data.")]

ToOption = Annotated[
    str | None,
    typer.Option("--to", help="s3://bucket/folder of the DAGs, where the caller may not read CloudFormation."),
]

FaultsOption = Annotated[
    Path | None,
    typer.Option("--faults", metavar="FILE", help="Rules by which calls of the embedded AWS fail."),
]

AirflowOption = Annotated[
    str | None,
    typer.Option("--airflow", metavar="VERSION", help="Airflow version, instead of the project's."),
]
