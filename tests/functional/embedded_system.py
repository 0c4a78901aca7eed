"""A project in a folder of its own, and the commands that a user types there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from penstock.home import HOME
from penstock.local.instance import Instance
from penstock.local.system import System, attach
from tests.functional.embedded import UNCHECKED

SECONDS = 600


@dataclass
class EmbeddedSystem:
    """The project in `folder`, and what `penstock up` made of it."""

    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)
    """Values that `penstock up` finds in its environment."""
    inside: tuple[str, ...] = ()
    """What every command line begins with, to run in a network namespace for example."""
    checked: bool = False
    """Whether CDK checks the templates, as it does for a user."""
    first_run: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The project file."""
        return self.folder / "penstock.yaml"

    @property
    def state(self) -> Path:
        """The instance's folder."""
        return self.folder / ".penstock" / "dev"

    @property
    def instance(self) -> Instance:
        """The instance, as its folder says."""
        instance = Instance.load(self.state)
        assert instance is not None
        return instance

    def attach(self) -> System:
        """What is up, for a look from inside."""
        return attach(self.instance)

    def environ(self) -> dict[str, str]:
        """The environment of a command."""
        unchecked = {} if self.checked else UNCHECKED
        return {**os.environ, **unchecked, **{f"PENSTOCK_SECRET_{name}": value for name, value in self.secrets.items()}}

    def command(self, *arguments: str) -> list[str]:
        """A command line of penstock for this project."""
        penstock = Path(sys.executable).with_name("penstock")
        return [*self.inside, str(penstock), "--project", str(self.file), *arguments]

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*arguments), env=self.environ(), capture_output=True, text=True, timeout=SECONDS
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def data(self, *arguments: str) -> Any:
        """Run a command and read the JSON that it prints."""
        return json.loads(self.cli(*arguments, "--format", "json").stdout)

    def run(self, job: str, *options: str) -> dict[str, Any]:
        """Run a job; it must succeed."""
        found: dict[str, Any] = self.data("run", job, *options)
        return found

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the project file."""
        project = yaml.safe_load(self.file.read_text())
        change(project)
        self.file.write_text(yaml.safe_dump(project, sort_keys=False))


def copy_sample(folder: Path) -> None:
    """Put the sample project into a folder."""
    shutil.copy(HOME / "penstock.yaml", folder)
    shutil.copytree(HOME / "ingestion", folder / "ingestion", ignore=shutil.ignore_patterns(".meltano"))
