"""pydantic's errors in our words: what, where, fix."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from penstock.project.document import yaml_fixes
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at, parse
from penstock.project.document.problems import MOST, Problems, nearest, shown
from penstock.project.schema import units
from penstock.project.schema.patterns import words_of
from penstock_runtime.errors import InputError

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "date_type": "a date without quotes, such as 2024-01-31",
}

_TYPES: dict[str, Any] = {"int_type": int, "float_type": (int, float), "bool_type": bool, "date_type": date}
OPTIONS = ("airflow", "create", "options")
_LOOKED_AT = 40 * MOST
"""Errors of pydantic's: of some places it has two, and `Problems` stops at `MOST` of ours."""


def explain(error: ValidationError, model: type[BaseModel], document: Document, root: Node, problems: Problems) -> None:
    """Turn what pydantic found in `root` into errors with places."""
    errors = error.errors(include_url=False)[:_LOOKED_AT]
    alternatives = _alternatives(errors, root)
    for detail in errors:
        loc = _path(root, detail["loc"])
        kind, context = detail["type"], detail.get("ctx") or {}
        kinds = alternatives.get(loc, [kind]) if _branch(root, detail["loc"]) == loc else [kind]
        if kind not in kinds[:1]:
            continue
        node = at(root, loc)
        where = document.where(node)
        subject = _subject(root, loc)
        if kind == "extra_forbidden":
            fields = _fields(model, loc[:-1])
            problems.add(
                f"unknown key {shown(str(loc[-1]))}{_within(root, loc[:-1])}",
                fix=nearest(str(loc[-1]), fields, kind="key"),
                where=document.where(at(root, loc, key=True)),
            )
        elif kind == "missing":
            problems.add(
                f"{str(loc[-1])!r} is missing{_within(root, loc[:-1])}", fix=f"add `{loc[-1]}: …`", where=where
            )
        elif kind == "penstock":
            problems.add(detail["msg"], fix=context["fix"], where=where)
        elif kind in _WANTED:
            wanted = " or ".join(_WANTED[name] for name in kinds)
            fix = _curly(node) or _fix(kind, wanted, node, loc, document)
            problems.add(f"{subject} must be {wanted}, not {_got(node)}", fix=fix, where=where)
        elif kind in ("string_too_short", "too_short") and not node.value:
            fix = "give it a value" if isinstance(node.value, str) else "give it at least one entry"
            problems.add(f"{subject} is empty", fix=fix, where=where)
        else:
            what, fix = _constraint(kind, context, detail["msg"])
            fix = _curly(node) or fix
            problems.add(f"{subject} {what}, not {_got(node)}", fix=fix, where=where)


def _alternatives(errors: list[ErrorDetails], root: Node) -> dict[tuple[Any, ...], list[str]]:
    """What a value of several types may be, by its place: pydantic has an error for each of the types.

    Where the value is of one of them, and something within it is wrong, that is told and the others are not: their list
    is empty.
    """
    kinds: dict[tuple[Any, ...], list[str]] = {}
    for detail in errors:
        if (base := _branch(root, detail["loc"])) is not None:
            kinds.setdefault(base, []).append(detail["type"])
    for detail in errors:
        base = _branch(root, detail["loc"])
        if base is not None and (_path(root, detail["loc"]) != base or detail["type"] not in _WANTED):
            kinds[base] = []
    return kinds


def _branch(root: Node, loc: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The place of the value of several types that a path of pydantic's goes through; None: it does through none."""
    for depth in range(1, len(loc) + 1):
        before = _path(root, loc[: depth - 1])
        if _path(root, loc[:depth]) == before:
            return before
    return None


def _path(root: Node, loc: tuple[Any, ...]) -> tuple[Any, ...]:
    """A path of pydantic's without the names of a union's branches that it puts in; a key may be called the same."""
    path: tuple[Any, ...] = ()
    for step in loc:
        value = at(root, path).value
        if (isinstance(value, dict) and step in value) or not _is_branch(step):
            path += (step,)
    return path


def _is_branch(step: Any) -> bool:
    """A type's name; a model's begins with a capital, and no key of ours does."""
    if not isinstance(step, str):
        return False
    return step in ("str", "int", "bool", "[key]") or step.startswith(("list[", "function-")) or step[:1].isupper()


def _subject(root: Node, loc: tuple[Any, ...]) -> str:
    named = [depth for depth, step in enumerate(loc) if isinstance(step, str)]
    if not named:
        return "the file"
    subject = f"{loc[named[-1]]!r}{_within(root, loc[: named[-1]])}"
    return f"an entry of {subject}" if named[-1] < len(loc) - 1 else subject


def _within(root: Node, loc: tuple[Any, ...]) -> str:
    """` of task 'load'`: the innermost thing with a name that a path goes through."""
    kinds = {"tasks": "task", "schedules": "schedule"}
    for depth in range(len(loc), 1, -1):
        if isinstance(loc[depth - 1], int) and loc[depth - 2] in kinds:
            node = at(root, loc[:depth])
            name = node.value.get("name") if isinstance(node.value, dict) else None
            if name is not None and name.text:
                return f" of {kinds[loc[depth - 2]]} {name.text[:64]!r}"
        if loc[depth - 2] == "jobs":
            return f" of job {str(loc[depth - 1])[:64]!r}"
    outer = [step for step in loc if isinstance(step, str)]
    return f" of {'.'.join(outer)}"[:120] if outer else ""


def _got(node: Node) -> str:
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return f"a list of {len(node.value)}"
    if node.value is None:
        return "nothing"
    return shown(node.value) if isinstance(node.value, str) else str(node.text)[:60]


def _fix(kind: str, wanted: str, node: Node, loc: tuple[Any, ...], document: Document) -> str:
    of_airflow = loc[: len(OPTIONS)] == OPTIONS
    if kind == "string_type" and isinstance(node.value, bool) and of_airflow:
        return f'write "{node.value}": Airflow reads no other words'
    if kind == "string_type" and node.text and node.value is not None:
        return f'quote it: "{node.text[:60]}"'
    if kind == "string_type" and isinstance(node.value, dict | list) and of_airflow:
        return f"write it as JSON in single quotes: {_as_json(node)}"
    if isinstance(node.value, str) and kind in ("int_type", "float_type", "bool_type", "date_type"):
        if kind == "int_type" and (number := units.number(str(loc[-1]), node.value)) is not None:
            return f"write {number}"
        is_quoted = document.text[node.start : node.start + 1] in ("'", '"')
        if is_quoted and _is_written(node.value, _TYPES[kind]):
            return "write it without quotes"
    return f"write {wanted}"


def _is_written(text: str, wanted: Any) -> bool:
    """Whether a text would be of the wanted type without its quotes."""
    try:
        return isinstance(parse(text, "").root.value, wanted)
    except InputError:
        return False


def _curly(node: Node) -> str | None:
    """The fix for a text in typographic quotes, whatever it should have been."""
    inner = yaml_fixes.without_curly_quotes(node.value) if isinstance(node.value, str) else None
    return None if inner is None else f'type straight quotes, which YAML knows: "{inner[:60]}"'


def _as_json(node: Node) -> str:
    text = json.dumps(node.plain(), default=str).replace("'", "''")
    return f"'{text}'" if len(text) <= 120 else "'{…}'"


_BOUNDS = {
    "greater_than_equal": ("ge", "at least {}", "{} or later"),
    "less_than_equal": ("le", "at most {}", "{} or earlier"),
    "greater_than": ("gt", "more than {}", "a day after {}"),
    "less_than": ("lt", "less than {}", "a day before {}"),
}
"""Kind of error → its limit's name, and the words for a limit that is a number, and a day."""


def _constraint(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, str]:
    if kind in _BOUNDS:
        name, of_number, of_day = _BOUNDS[kind]
        limit = context[name]
        # pydantic gives the day as text.
        bound = of_day.format(limit) if isinstance(limit, str) else of_number.format(f"{limit:.12g}")
        return f"must be {bound}", f"use {bound}"
    if kind == "literal_error":
        return f"must be {context['expected']}", f"use {context['expected']}"
    if kind == "string_pattern_mismatch":
        words = words_of(context["pattern"])
        return f"must be {words.must_be}", words.fix
    if kind in ("string_too_long", "string_too_short", "too_short", "too_long"):
        limit = context.get("max_length", context.get("min_length"))
        bound = "at most" if "max_length" in context else "at least"
        unit = ("character" if kind.startswith("string") else "entry") if limit == 1 else ""
        unit = unit or ("characters" if kind.startswith("string") else "entries")
        return f"must have {bound} {limit} {unit}", f"use {bound} {limit} {unit}"
    if kind == "int_parsing_size":
        return "must be a smaller number", "use a smaller one"
    return f"is wrong ({message})", "see schema/penstock.schema.json"


def _fields(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """The keys that the part of `model` at `loc` knows."""
    hint: Any = model
    for step in loc:
        hint = _model_or_container(hint)
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            by_key = {field.alias or name: field.annotation for name, field in hint.model_fields.items()}
            hint = by_key.get(str(step))
        else:
            hint = (typing.get_args(hint) or (None,))[-1]
    hint = _model_or_container(hint)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return [field.alias or name for name, field in hint.model_fields.items()]
    return []


def _model_or_container(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next((arg for arg in typing.get_args(hint) if arg not in (bool, int, type(None))), None)
    return hint
