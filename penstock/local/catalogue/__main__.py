"""`python -m penstock.local.catalogue --state DIR --port N --token-file FILE [--version 1.12.14]`

Runs the recording catalogue until SIGTERM. Prints one line once it accepts connections.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from penstock.local.catalogue import definitions, handlers, server
from penstock.local.catalogue.store import Store


def main(arguments: list[str] | None = None) -> int:
    """Run in the foreground. Exit code 0 after SIGTERM or SIGINT, 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m penstock.local.catalogue", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the folder that keeps what is recorded")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token-file", type=Path, required=True, help="holds the bearer token that clients send")
    parser.add_argument("--version", default="1.12.14", help="the OpenMetadata version to be (default: %(default)s)")
    options = parser.parse_args(arguments)
    token = options.token_file.read_text().strip()
    if not token:
        print(f"{options.token_file} is empty\n  fix: write a token into it", file=sys.stderr)
        return 1
    try:
        store = Store(options.state)
        with store.transaction():
            definitions.seed(store)
    except (OSError, sqlite3.Error) as error:
        print(f"cannot write {options.state}: {error}\n  fix: free space there, or make it writable", file=sys.stderr)
        return 1
    try:
        catalogue = server.Server(options.port, store, token, options.version)
    except OSError as error:
        print(f"port {options.port}: {error.strerror}\n  fix: choose another port", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop below, which runs in this very thread.
        signal.signal(number, lambda *_: threading.Thread(target=catalogue.shutdown).start())
    sys.stderr.write(handlers.greeting(options.version))
    print(f"recording catalogue is ready on http://{server.HOST}:{options.port}/api", flush=True)
    catalogue.serve_forever(poll_interval=0.1)
    catalogue.server_close()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
