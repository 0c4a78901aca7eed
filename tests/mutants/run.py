"""Plant each mutant of `mutants.yaml` and run the unit tests that must catch it: `make mutants`.

Two copies of the tree take turns, so that nothing in the working tree changes. A line for each mutant says `caught`,
`SURVIVED` or `ERROR`; the exit code is 1 if one is not caught. Arguments are names of mutants, or parts of names.
"""

from __future__ import annotations

import importlib.util
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.mutants import ROOT, Mutant, read

PROCESSES = 2
SECONDS = 300
"""For the tests of one mutant. Whoever takes longer has caught nothing: the machine may be slow."""
_PYTEST_TESTS_FAILED = 1
_PACKAGES = ("penstock", "penstock_runtime", "stacks")


def main(wanted: Sequence[str]) -> int:
    """The exit code: 0 if the tests catch every mutant."""
    mutants = [one for one in read() if not wanted or any(part in one.name for part in wanted)]
    with tempfile.TemporaryDirectory(prefix="penstock-mutants-") as folder:
        copies = [_copy(Path(folder) / str(number)) for number in range(PROCESSES)]
        if broken := _broken(copies, mutants):
            print(f"ERROR     without any mutant: {broken}", file=sys.stderr)
            return 1
        results = dict(_run(mutants, copies))
    bad = [name for name, result in results.items() if result != "caught"]
    print(
        f"{len(results) - len(bad)} of {len(results)} mutants caught"
        + (f"; not caught: {', '.join(bad)}" if bad else "")
    )
    return 1 if bad or not results else 0


def _run(mutants: Iterable[Mutant], copies: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """The name and the result of each mutant, printed as they come."""
    free: queue.Queue[Path] = queue.Queue()
    for copy in copies:
        free.put(copy)

    def judge(mutant: Mutant) -> tuple[str, str]:
        copy, start = free.get(), time.monotonic()
        try:
            result, detail = _judge(mutant, copy)
        finally:
            free.put(copy)
        print(f"{result:<9} {mutant.name:<44} {time.monotonic() - start:5.1f} s  {detail}", flush=True)
        return mutant.name, result

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(judge, mutants)


def _judge(mutant: Mutant, copy: Path) -> tuple[str, str]:
    """`caught`, `SURVIVED` or `ERROR`, and why."""
    if problem := mutant.problem(copy):
        return "ERROR", problem
    path = copy / mutant.file
    original = path.read_text()
    try:
        _write(path, mutant.planted(original))
        code, output = _tests(copy, mutant.tests)
    finally:
        _write(path, original)
    if code == 0:
        return "SURVIVED", f"{mutant.why} ({', '.join(mutant.tests)} stay green)"
    if code == _PYTEST_TESTS_FAILED:
        return "caught", next((line[7:] for line in output.splitlines() if line.startswith("FAILED ")), "")[:120]
    if code is None:
        return "ERROR", f"the tests do not end within {SECONDS} s: name fewer, or another change"
    return "ERROR", f"pytest ended with {code}: {' '.join(output.split())[-300:]}"


def _broken(copies: Sequence[Path], mutants: Iterable[Mutant]) -> str | None:
    """Why a result would mean nothing: the copies' code is not what is imported, or a test fails without a mutant."""
    for package in _PACKAGES:
        place = _python(copies[0], "-c", f"import {package}; print({package}.__file__)").stdout.strip()
        if not place or not Path(place).is_relative_to(copies[0]):
            return f"tests would import {package} from {place or 'nowhere'}, not from the copy with the mutant"
    tests = sorted({test for one in mutants for test in one.tests if (copies[0] / test).exists()})
    parts = [tests[number :: len(copies)] for number in range(len(copies))]
    with ThreadPoolExecutor(len(copies)) as pool:
        for code, output in pool.map(
            lambda pair: _tests(*pair) if pair[1] else (0, ""), zip(copies, parts, strict=True)
        ):
            if code != 0:
                return f"pytest ends with {code}: {output[-2000:]}"
    return None


def _tests(copy: Path, tests: Sequence[str]) -> tuple[int | None, str]:
    """pytest's exit code and output; no code: it took too long."""
    try:
        done = _python(copy, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", *tests)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout + done.stderr


def _python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Before the editable install, which leads to the working tree; also for processes that tests start.
    path = os.pathsep.join((str(copy), str(copy / "runtime")))
    environ = {**os.environ, "PYTHONPATH": path, "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / ".hypothesis")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=copy, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False)


def _copy(target: Path) -> Path:
    """A copy of what git knows of the tree, and of new files that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    if (ROOT / "node_modules").is_dir():
        (target / "node_modules").symlink_to(ROOT / "node_modules")
    return target


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    # Python takes compiled code for current by size and whole seconds: a mutant may differ in neither.
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
