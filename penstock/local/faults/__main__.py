"""python -m penstock.local.faults --state DIR --aws DIR --airflow N …: the fault proxy, in the foreground.

Ends on SIGTERM or SIGINT. Exit code 0, or 1 with the reason when it cannot start.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import get_args

from penstock.local.aws.endpoint import Endpoint
from penstock.local.faults import services
from penstock.local.faults.control import Control
from penstock.local.faults.file import Watched
from penstock.local.faults.injector import Injector
from penstock.local.faults.place import PLACE_FILE, Place
from penstock.local.faults.proxy import Proxy
from penstock.local.faults.rules import Origin
from penstock_runtime.errors import PenstockError

LOOK_SECONDS = 1.0
"""How soon a changed file is read where nobody calls anything; every call looks, too."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m penstock.local.faults", description="The fault proxy.")
    parser.add_argument("--state", type=Path, required=True, help="folder for what it writes")
    parser.add_argument("--aws", type=Path, required=True, help="state folder of the embedded AWS")
    parser.add_argument("--file", type=Path, help="file of rules; without it every call passes")
    for name in (*get_args(Origin), "control"):
        parser.add_argument(f"--{name}", type=int, required=True, help="TCP port on 127.0.0.1")
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(arguments))
    except (PenstockError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    state: Path = arguments.state.absolute()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / PLACE_FILE).unlink(missing_ok=True)
    injector, watched, through_desk = Injector(), None, False
    if arguments.file is not None:
        watched = Watched(arguments.file, injector.replace, _say)
        through_desk = injector.desk

    def look() -> str | None:
        if watched is None:
            return None
        watched.look()
        return watched.problem

    proxy = Proxy(Endpoint.load(arguments.aws), injector, look, _say)
    services.model("s3")  # the first upload need not wait for it
    for origin in get_args(Origin):
        await proxy.listen(origin, getattr(arguments, origin))
    await Control(injector, look).listen(arguments.control)
    file = str(arguments.file or "")
    place = Place(arguments.airflow, arguments.tasks, arguments.desk, arguments.control, file, through_desk)
    place.write(state)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    while not ended.is_set():
        look()
        try:
            await asyncio.wait_for(ended.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue
    (state / PLACE_FILE).unlink(missing_ok=True)
    # Calls that are held back would hold the end, too.
    sys.stdout.flush()
    os._exit(0)


def _say(line: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
