"""`penstock_runtime` in a bare Python: the standard library only, and 3.10, the upstream image's version."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parents[4] / "runtime"

IMPORT_ALL = """
import pkgutil, sys
sys.path.insert(0, sys.argv[1])
import penstock_runtime
seen = []
for module in pkgutil.walk_packages(penstock_runtime.__path__, "penstock_runtime."):
    if not module.name.startswith("penstock_runtime.airflow") and not module.name.endswith("__main__"):
        __import__(module.name)
        seen.append(module.name)
assert "penstock_runtime.container.engines.openmetadata" in seen, seen
print(*sys.version_info[:2], len(seen))
"""


def interpreters() -> list[str]:
    """python3.10 where it runs (pyenv's shim may be there and not run), and the Python at hand."""
    programs = [
        shutil.which("python3.10"),
        *sorted(map(str, Path.home().glob(".pyenv/versions/3.10.*/bin/python3.10"))),
    ]
    works = [one for one in programs if one and subprocess.run([one, "-c", ""], capture_output=True).returncode == 0]
    return [*works[:1], sys.executable]


@pytest.mark.parametrize("interpreter", interpreters())
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_imports_with_the_standard_library_only(interpreter: str, packed: bool, tmp_path: Path) -> None:
    """No module outside `airflow/` needs anything that has to be installed, from a folder or from the archive."""
    place = RUNTIME
    if packed:
        place = tmp_path / "runtime.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for path in sorted((RUNTIME / "penstock_runtime").rglob("*.py")):
                archive.write(path, path.relative_to(RUNTIME))

    done = subprocess.run(
        [interpreter, "-I", "-S", "-B", "-c", IMPORT_ALL, str(place)], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
