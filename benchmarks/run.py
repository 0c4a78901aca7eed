"""`make run` in a fresh clone: cold beyond downloads (goal 6 minutes on 2 cores), then warm (goal 2 minutes), and the
peak memory of the whole system (goal 6 GiB).

The caches of uv and npm must hold the packages already: `make setup` in any checkout fills them.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks import measure


def main() -> None:
    """Print the figures."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
    clone, environ = folder / "clone", {"PENSTOCK_CACHE": str(folder / "cache"), "MAKEFLAGS": ""}
    measure.command(["git", "clone", "--quiet", measure.ROOT, clone])
    seconds, peaks = {}, {}
    try:
        for kind in ("cold", "warm"):
            with measure.PeakMemory() as memory:
                seconds[kind] = round(measure.timed(lambda: measure.command(["make", "run"], clone, environ)), 1)
            peaks[kind] = round(memory.mib)
            measure.command([clone / ".venv" / "bin" / "penstock", "down"], clone, environ)
    finally:
        if (clone / ".penstock").exists():
            measure.command([clone / ".venv" / "bin" / "penstock", "down"], clone, environ)
        shutil.rmtree(folder)
    measure.report("run", seconds=seconds, peak_memory_mib=peaks)


if __name__ == "__main__":
    main()
