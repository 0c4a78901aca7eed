"""`meltano.yml` and the files that it includes, found as Meltano finds them.

Meltano 4.4.1 reads `include_paths` of `meltano.yml`. That it reads those of included files too comes from how it merges
lists, and ends after a few files: `meltano schedule list` goes four deep, `meltano run` three. What it refuses is
refused here: a path that leaves the project, a folder, one name in two included files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from penstock.project.document import files
from penstock.project.document.composer import MAX_NODES, Node, TooManyValuesError
from penstock.project.document.document import MAX_BYTES, Document, read_document
from penstock.project.document.parts import entries, mapping
from penstock.project.document.problems import shown
from penstock.project.document.yaml_meaning import YAML_1_2
from penstock_runtime.errors import InputError

MAX_INCLUDES = 500
MAX_LEVELS = 3
"""How deep `meltano run` follows included files that include others (tried with 4.4.1)."""
KINDS = ("schedules", "jobs", "environments")
"""Lists of named entries that files add to, besides `plugins`, which is a list for each type."""


def read_all(folder: Path, name: str, *, where: str) -> list[tuple[Path, Document]]:
    """`meltano.yml` first, then what it includes, in Meltano's order. `where` is the place that names the project.

    Raises:
        InputError: a file cannot be read, or Meltano would refuse it.
    """
    path = folder / "meltano.yml"
    main = read_document(path, f"{name}/meltano.yml", where=where, meaning=YAML_1_2)
    if not isinstance(main.root.value, dict):
        raise InputError(
            "meltano.yml holds a list or a single value, not a mapping",
            fix="see Meltano's documentation",
            where=main.where(main.root),
        )
    documents = {path: main}
    level = [main]
    for _ in range(MAX_LEVELS):
        includes = [(document, place) for document in level for place in _included(folder, document)]
        level = []
        for document, place in includes:
            if place not in documents:
                documents[place] = _read(folder, name, place, list(documents.values()), document)
                level.append(documents[place])
    for document in level:
        if list(_included(folder, document)):
            raise InputError(
                f"Meltano does not follow include_paths more than {MAX_LEVELS} files deep",
                fix="name the file in include_paths of meltano.yml",
                where=document.where(document.root.value["include_paths"]),
            )
    _check_names(list(documents.values())[1:])
    return list(documents.items())


def _included(folder: Path, document: Document) -> Iterator[Path]:
    """The files that `include_paths` of a file names. Patterns start at the project's folder, in any file."""
    node = document.root.value.get("include_paths")
    if node is None or node.value is None:
        return
    if not isinstance(node.value, list) or not all(isinstance(entry.value, str) for entry in node.value):
        raise InputError("include_paths must be a list of paths", fix="write a list", where=document.where(node))
    root, count = folder.resolve(), 0
    for pattern in node.value:
        where = document.where(pattern)
        try:
            matches = files.matching(folder, pattern.value, with_folders=True)
        except ValueError as error:
            raise InputError(
                f"{shown(pattern.value)} cannot be searched for: {error}",
                fix="write a pattern relative to meltano.yml",
                where=where,
            ) from None
        for path in matches:
            if path == folder / "meltano.yml":
                continue
            named = os.path.relpath(path, folder)
            if not path.resolve().is_relative_to(root):
                raise InputError(
                    f"{named[:80]} is outside the Meltano project, and Meltano includes only files within it",
                    fix="move the file into the folder of meltano.yml",
                    where=where,
                )
            if not files.is_file(path):
                raise InputError(
                    f"{shown(pattern.value)} takes in the folder {named[:80]}, which Meltano refuses",
                    fix=f"name files only, such as {named[:80]}/*.yml",
                    where=where,
                )
            count += 1
            if count > MAX_INCLUDES:
                what = f"{shown(pattern.value)} takes in more than {MAX_INCLUDES} files"
                raise InputError(what, fix="write a narrower pattern", where=where)
            yield path


def _read(folder: Path, name: str, path: Path, before: list[Document], includer: Document) -> Document:
    """An included file, as long as there is room for it beside those `before`."""
    try:
        room = max(MAX_NODES - sum(earlier.root.weight for earlier in before), 0)
        shown_name = f"{name}/{os.path.relpath(path, folder)}"
        document = read_document(path, shown_name, max_nodes=room, meaning=YAML_1_2)
    except TooManyValuesError as error:
        what = f"with this file the Meltano project holds more than {MAX_NODES} values"
        raise InputError(what, fix="include fewer files", where=error.where) from None
    if sum(len(earlier.text) for earlier in before) + len(document.text) > MAX_BYTES:
        what = f"the files of the Meltano project are longer than {MAX_BYTES} characters together"
        raise InputError(what, fix="include fewer files", where=includer.where(includer.root.value["include_paths"]))
    if not isinstance(document.root.value, dict):
        raise InputError(
            "an included file holds a list or a single value, not a mapping",
            fix="exclude it",
            where=document.where(document.root),
        )
    return document


def _check_names(included: list[Document]) -> None:
    """Meltano ends with "Duplicate plugin name found" where two included files, or one, define a name twice."""
    first: dict[tuple[str, ...], str] = {}
    for document in included:
        for key, node in _entries(document.root):
            where = document.where(node)
            if key in first:
                raise InputError(
                    f"Meltano refuses included files that define {' '.join(key[:-1])} {shown(key[-1])} twice; "
                    f"the first is at {first[key]}",
                    fix="rename or remove one of them",
                    where=where,
                )
            first[key] = where


def _entries(root: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    lists: list[tuple[tuple[str, ...], Node | None]] = [
        ((kind.removesuffix("s"),), root.value.get(kind)) for kind in KINDS
    ]
    lists += [((str(kind), "plugin"), node) for kind, node in mapping(root.value.get("plugins")).items()]
    for key, node in lists:
        for entry in entries(node):
            name = entry.value.get("name") if isinstance(entry.value, dict) else None
            if name is not None and name.value is not None:
                yield (*key, str(name.value)), entry
