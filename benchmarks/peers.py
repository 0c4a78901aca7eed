"""What others have made, installed beside an Airflow of ours at the time of a benchmark, and never into it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from penstock.local import cache, environments


def install(environment: Path, folder: Path, *requirements: str, alone: bool = False) -> None:
    """The newest that go with what the environment holds, into a folder for PYTHONPATH.

    Args:
        alone: without what they require: the environment holds that already.
    """
    python = str(environment / "bin" / "python")
    freeze = [str(cache.uv()), "pip", "freeze", "--python", python]
    held = folder.with_suffix(".constraints")
    held.write_text(subprocess.run(freeze, env=cache.environ(), capture_output=True, text=True, check=True).stdout)
    options = ["--no-deps"] if alone else ["--constraint", str(held)]
    environments.run_uv("pip", "install", "--python", python, "--target", str(folder), *options, *requirements)


def version(folder: Path, name: str) -> str:
    """The version of a package that `install` has put there."""
    (found,) = folder.glob(f"{name}-*.dist-info")
    return found.name.removeprefix(f"{name}-").removesuffix(".dist-info")
