"""A plain command line from `penstock.yaml`, run without a shell."""

from __future__ import annotations

from collections.abc import Mapping

from penstock_runtime import contract
from penstock_runtime.container.engines import Launch
from penstock_runtime.container.environment import read_json, refuse


def launch(environ: Mapping[str, str]) -> Launch:
    """The command of `PENSTOCK_COMMAND`.

    Raises:
        RunError: there is none.
    """
    command = tuple(str(item) for item in read_json(environ, contract.COMMAND, list))
    if not command:
        refuse(contract.COMMAND, "holds an empty list")
    return Launch(command=command, title=f"command {command[0]}")
