"""What a version of OpenMetadata's parser takes, written down as data. Runs in the Python that has the package:

    <environment>/bin/python export.py FILE

The parser takes a workflow where pydantic validates it as `OpenMetadataWorkflowConfig` (an application's as
`OpenMetadataApplicationConfig`); what else it does is for the words of its error. So pydantic's core schemas of these
two classes say all of it. They become the format that `penstock.project.openmetadata.shapes.shapes` reads: a list of
shapes, each distinct one once, which name each other by index.

What the parser takes and the run then looks for in vain is written down beside it, from the package's files: which
sources there are, which of them have usage and lineage, and which steps.

Standard library only, besides the package: nothing of Penstock is installed there.
"""

from __future__ import annotations

import ast
import enum
import importlib
import json
import os
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGE = "openmetadata-ingestion"
ROOTS = {
    "workflow": ("workflow", "OpenMetadataWorkflowConfig"),
    "application": ("application", "OpenMetadataApplicationConfig"),
}
"""Root → module below `metadata.generated.schema.metadataIngestion`, and class."""

_LIMITS = ("min_length", "max_length", "pattern", "ge", "gt", "le", "lt", "multiple_of", "strict", "allow_inf_nan",
           "allowed_schemes", "host_required", "strip_whitespace", "version")  # fmt: skip
_SCALARS = frozenset(
    {"str", "int", "float", "bool", "decimal", "date", "datetime", "time", "timedelta", "uuid", "url", "multi-host-url"}
)
_SAME_INPUT = {
    "default": "schema",
    "function-after": "schema",
    "json-or-python": "python_schema",
    "lax-or-strict": "lax_schema",
    "definitions": "schema",
}
"""Schemas that take what a schema inside them takes. What a function makes of a value afterwards is not looked at:
the package's own ones make a secret of a text, and a name of a name."""
_HARMLESS = frozenset({"title", "extra_fields_behavior"})
"""Settings of a class that are read here, or say nothing of what it takes."""


class Exporter:
    """Turns pydantic's core schemas into shapes."""

    def __init__(self) -> None:
        self.shapes: list[dict[str, Any]] = []
        self.unread: set[str] = set()
        """What of the schemas was not understood; there the shape takes anything."""
        self._indices: dict[str, int] = {}
        self._definitions: dict[str, dict[str, Any]] = {}
        self._models: dict[str, int] = {}

    def add(self, schema: dict[str, Any]) -> int:
        """The index of a schema's shape."""
        kind = schema["type"]
        for definition in schema.get("definitions", ()) if kind == "definitions" else ():
            self._definitions[definition["ref"]] = definition
        if kind == "definition-ref":
            return self.add(self._definitions[schema["schema_ref"]])
        if kind in _SAME_INPUT:
            inner: dict[str, Any] = schema[_SAME_INPUT[kind]]
            if kind == "function-after" and "Secret" in getattr(schema["function"]["function"], "__name__", ""):
                return self._put({**self.shapes[self.add(inner)], "secret": True})
            return self.add(inner)
        if kind == "function-wrap" and schema["schema"]["type"] == "url":
            return self.add(schema["schema"])
        if kind == "model":
            return self.add(schema["schema"]) if schema.get("root_model") else self._model(schema)
        return self._put(self._plain(kind, schema))

    def _put(self, shape: dict[str, Any]) -> int:
        key = json.dumps(shape, sort_keys=True)
        if key not in self._indices:
            self._indices[key] = len(self.shapes)
            self.shapes.append(shape)
        return self._indices[key]

    def _plain(self, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
        if kind in _SCALARS:
            return {"kind": kind, **{name: schema[name] for name in _LIMITS if schema.get(name) not in (None, False)}}
        if kind == "nullable":
            return {"kind": "optional", "of": self.add(schema["schema"])}
        if kind == "list":
            items = self.add(schema["items_schema"]) if "items_schema" in schema else self._put({"kind": "any"})
            return {"kind": "list", "items": items, **{name: schema[name] for name in _LIMITS[:2] if name in schema}}
        if kind == "dict":
            names = ("keys_schema", "values_schema")
            inner = [self.add(schema[name]) if name in schema else self._put({"kind": "any"}) for name in names]
            return {"kind": "dict", "keys": inner[0], "values": inner[1]}
        if kind in ("union", "tagged-union"):
            choices = schema["choices"].values() if kind == "tagged-union" else schema["choices"]
            choices = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
            of = dict.fromkeys(self.add(choice) for choice in choices if choice["type"] != "is-instance")
            return self.shapes[next(iter(of))] if len(of) == 1 else {"kind": "union", "of": list(of)}
        values = schema.get("members") if kind == "enum" else schema.get("expected")
        if kind in ("enum", "literal") and values is not None:
            texts = [value.value if isinstance(value, enum.Enum) else value for value in values]
            if "missing" not in schema and all(isinstance(text, str) for text in texts):
                return {"kind": "enum", "values": texts}
        if kind in ("any", "none"):
            return {"kind": kind}
        self.unread.add(kind)
        return {"kind": "any"}

    def _model(self, schema: dict[str, Any]) -> int:
        name = f"{schema['cls'].__module__}.{schema['cls'].__qualname__}"
        if name in self._models:
            return self._models[name]
        # Its place is taken before its fields are looked at: one of them may be of the same class.
        self._models[name] = index = len(self.shapes)
        shape: dict[str, Any] = {"kind": "model", "name": schema["cls"].__name__}
        self.shapes.append(shape)
        config = schema.get("config") or {}
        inner = schema["schema"]
        while inner["type"] == "function-after":
            inner = inner["schema"]
        aliases = [field.get("validation_alias", "") for field in inner.get("fields", {}).values()]
        if (
            inner["type"] != "model-fields"
            or config.keys() - _HARMLESS
            or any(type(alias) is not str for alias in aliases)
        ):
            self.unread.add(f"{name}: {inner['type']}, {sorted(config.keys() - _HARMLESS)}")
            shape["kind"] = "any"
            return index
        shape["extra"] = inner.get("extra_behavior") or config.get("extra_fields_behavior", "ignore")
        shape["fields"] = {
            field.get("validation_alias", own): [self.add(field["schema"]), field["schema"]["type"] != "default"]
            for own, field in inner["fields"].items()
        }
        return index


def export(roots: dict[str, Any]) -> dict[str, Any]:
    """The shapes of pydantic models; `roots` names each."""
    exporter = Exporter()
    numbers = {name: exporter.add(model.__pydantic_core_schema__) for name, model in roots.items()}
    return {"roots": numbers, "shapes": exporter.shapes, "unread": sorted(exporter.unread)}


def sources(folder: Path) -> dict[str, list[str]]:
    """Folder of each source → what it reads besides metadata: `usage`, `lineage`.

    Read as text: to import a source needs its driver, which may not be installed here.

    Args:
        folder: `metadata/ingestion` of the package.
    """
    found = {}
    for file in sorted(folder.glob("source/*/*/service_spec.py")):
        names = {word.arg for word in ast.walk(ast.parse(file.read_text())) if isinstance(word, ast.keyword)}
        found[file.parent.name] = [kind for kind in ("lineage", "usage") if f"{kind}_source_class" in names]
    return found


def steps(folder: Path) -> dict[str, list[str]]:
    """Kind of step → the names of those that there are, with `_` for `-`."""
    kinds = ("bulksink", "processor", "sink", "stage")
    return {kind: sorted(file.stem for file in folder.glob(f"{kind}/[a-z]*.py")) for kind in kinds}


def main(file: Path) -> None:
    """Write the shapes of the package that is installed here."""
    # The package's own classes warn of names that shadow others.
    warnings.simplefilter("ignore")
    roots = {}
    for name, (module, class_name) in ROOTS.items():
        generated = importlib.import_module(f"metadata.generated.schema.metadataIngestion.{module}")
        roots[name] = getattr(generated, class_name)
    folder = Path(str(importlib.import_module("metadata").__file__)).parent / "ingestion"
    data = {**export(roots), "package": version(PACKAGE), "sources": sources(folder), "steps": steps(folder)}
    # At once: a reader may be waiting for it.
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_text(json.dumps(data, separators=(",", ":")))
    part.replace(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
