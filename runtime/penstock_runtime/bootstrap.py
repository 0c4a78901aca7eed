"""The container's entry point: a few lines of Python that fetch the runtime archive, check it and run it.

They stand in the task definition's `entryPoint`, so that an upstream image needs nothing of ours in it. `_bootstrap` is
the text that runs: it must stand alone (standard library, and the boto3 that every image has), so it spells out names
of `contract`; tests run it with those.
"""

from __future__ import annotations

import inspect


def _bootstrap() -> None:
    import hashlib
    import os
    import runpy
    import signal
    import sys
    import tempfile

    # As process 1 of a container it would not be stopped by SIGTERM before somebody handles it.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    try:
        import boto3

        bucket, _, key = os.environ["PENSTOCK_RUNTIME_URI"].removeprefix("s3://").partition("/")
        data = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        found, expected = hashlib.sha256(data).hexdigest(), os.environ["PENSTOCK_RUNTIME_SHA256"]
        if found != expected:
            raise ValueError(f"its SHA-256 is {found}, not {expected}")
    except Exception as error:  # noqa: BLE001  whatever it is, one line says so
        uri = os.environ.get("PENSTOCK_RUNTIME_URI", "(PENSTOCK_RUNTIME_URI is not set)")
        print(f"penstock: cannot fetch the runtime {uri}: {type(error).__name__}: {error}", flush=True)
        sys.exit(65)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "penstock_runtime.zip")  # noqa: PTH118
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)
        sys.path.insert(0, path)
        runpy.run_module("penstock_runtime", run_name="__main__", alter_sys=True)


SOURCE = f"{inspect.getsource(_bootstrap)}\n\n_bootstrap()\n"

ENTRY_POINT: tuple[str, ...] = ("python", "-c", SOURCE)
"""`entryPoint` of every task definition. Exit code 65 (`contract.Exit.ARTIFACT`) where the runtime cannot be had."""
