"""Where a project's source stands in time: its commit, and the latest edit that is not committed.

It decides which of two releases is the newer one (docs/adr/0004). A clone without history will do: only the last
commit's time is read. Of what differs from the commit only that counts which goes into the plan or the bundle: a test
report that lies about, or a lock file that CI rewrote, makes an old checkout no newer. What is wrongly left out is
harmless: the release counts as older than it is, and is refused where it might have passed. So files that git ignores
do not count (a build makes them), nor the content of images (no release holds it), nor edits in a submodule.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import penstock_runtime
from penstock.home import DAGS
from penstock.project.airflow import loader_files
from penstock.project.airflow.plugins import left_out
from penstock.project.loaded import Project
from penstock_runtime.errors import PenstockError
from penstock_runtime.release.manifest import Release

SECONDS = 30


@dataclass(frozen=True)
class Revision:
    """See `penstock_runtime.release.manifest.Release` for the three."""

    order: int = 0
    committed: int = 0
    name: str = ""

    def release(self, release: str, plan: str, by: str) -> Release:
        """A release of this source; see `Release` for the arguments."""
        return Release(release, plan, self.order, self.name, by, self.committed)


def revision_of(project: Project) -> Revision:
    """The revision of a project; an empty one where it is in no git repository, or nothing is committed yet.

    Raises:
        PenstockError: it is in one, and git cannot read it.
    """
    # Else the signature's check would be printed first, where the user has set that.
    said = _git(project.folder, "-c", "log.showSignature=false", "log", "-1", "--format=%ct %h")
    if not said:
        return Revision()
    seconds, _, name = said.strip().partition(" ")
    committed = int(seconds)
    edited = _edited(project)
    return Revision(max([committed, *edited]), committed, f"{name}+" if edited else name)


def _edited(project: Project) -> list[int]:
    """When the sources were edited that differ from the commit; of a deleted one, when its folder was."""
    top = Path((_git(project.folder, "rev-parse", "--show-toplevel") or "").removesuffix("\n"))
    sources = [(real, ending) for path, ending in _sources(project) for real in _real(path)]
    sources = [(path, ending) for path, ending in sources if path.is_relative_to(top)]
    here = project.folder.resolve()
    places = [str(here), *{str(path) for path, _ in sources if not path.is_relative_to(here)}]
    # Content alone goes into a release; a copy, or a file system of another kind, may have lost the modes.
    options = ["-c", "core.fileMode=false", "--literal-pathspecs"]
    said = _git(
        project.folder, *options, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *places
    )
    times = []
    for entry in filter(None, (said or "").split("\0")):
        path = top / entry[3:]
        if path.is_dir() or not any(_holds(source, ending, path) for source, ending in sources):
            continue
        while not os.path.lexists(path):
            path = path.parent
        times.append(int(path.lstat().st_mtime))
    return times


def _sources(project: Project) -> list[tuple[Path, str]]:
    """The files that the plan and the bundle come from, and folders with the ending of those below that do."""
    named = [*project.workflows, *project.files, *project.mwaa_files.texts, *project.mwaa_files.archives]
    files = [project.path.absolute(), *(project.folder / name for name in named), DAGS / loader_files.TEMPLATE]
    files += [file for meltano in project.meltanos.values() for file in meltano.files]
    code = Path(penstock_runtime.__file__).parent
    return [*((path, "") for path in files), (project.folder / "dags", ".py"), (code, ".py")]


def _real(path: Path) -> set[Path]:
    """As git names it: a link itself, and what it leads to."""
    return {path.parent.resolve() / path.name, path.resolve()}


def _holds(source: Path, ending: str, path: Path) -> bool:
    if not path.is_relative_to(source) or not path.name.endswith(ending):
        return False
    return not left_out(path.relative_to(source))


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None: there is no repository, or no commit in it."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    environ = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, errors="surrogateescape", timeout=SECONDS, check=False
        )
    except FileNotFoundError as error:
        if not any((place / ".git").exists() for place in (folder, *folder.parents)):
            return None
        raise _unknown(folder, "there is no git on this machine", "install git") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unknown(folder, str(error), f"see why: git -C {folder} status") from error
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip() or f"exit code {done.returncode}"
    # With a path instead of the brackets there is one, and it is broken.
    if "fatal: not a git repository (" in said or "does not have any commits yet" in said:
        return None
    fix = f"make this work: git -C {folder} status"
    if "safe.directory" in said:
        # Penstock does not say so itself: in such a folder git runs programs that its configuration names.
        fix = f"if you trust the folder's owner: {said.splitlines()[-1].strip()}"
    raise _unknown(folder, said.splitlines()[0], fix)


def _unknown(folder: Path, why: str, fix: str) -> PenstockError:
    what = "the project is in a git repository that cannot be read, so nobody knows how new it is"
    return PenstockError(f"{what}: {why}", fix=fix, where=str(folder))
