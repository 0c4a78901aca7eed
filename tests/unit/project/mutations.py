"""Mutations of the sample project, each the same in every run, and what must come of them."""

from __future__ import annotations

import datetime
import random
import re
import signal
import string
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from penstock_runtime.errors import InputError, InputErrors

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ("penstock.yaml", "ingestion/warehouse.yaml", "ingestion/profiler.yaml", "ingestion/meltano/meltano.yml")
SEED = 20261121
MUTATIONS = 500
"""Of each file."""
AT_ONCE = 100
"""Of these, how many the unit tests judge. The functional tests judge the others: they take half a minute."""
HANG_SECONDS = 20
DEEP = "REPLACED BY SOMETHING DEEP"
BITS = [
    *('"', "'", ":", "- ", "\t", "{", "}", "[", "]", "\n", "*x", "&x ", "!!python/object:os.system", "<<: ", "|", ">"),
    *("\0", "\ufeff", "é", "null", "5", "5.5", "true", "2024-13-45", "0x", "1:99", "=", "~", "${X}", "${", "%", "@"),
    *("`", "? ", "--- ", "...\n", "#", "x" * 5000, "9" * 5000, ".inf", "2024-01-01", "[]", "{}", "[a]", "{a: b}", ""),
    *("\r", "\r\n", "\u2028", "\x85", "\u202e", "<<<<<<< HEAD\n", "[" * 3000, "{a: " * 3000, "- " * 3000, "\x1b[31m"),
]
BYTES = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0", b"\xef\xbb\xbf", b"\x80", b"\xf4\x90\x80\x80", b"\xff\xfe"]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 10**400, 2**63, 0.5, float("nan"), float("inf"), -float("inf"), 1e308, DEEP),
    *(
        "",
        " ",
        "x" * 10_000,
        "\n",
        "\0",
        "\x1b[31m",
        "\u2028",
        "\u202e",
        "\ud800",
        "\U0001f600",
        "a\u0301",
        "${",
        "${X}",
    ),
    *(
        "@daily",
        "R R R R R",
        "0 0 31 2 *",
        "../..",
        "/",
        "/dev/zero",
        "~",
        "nul\0byte",
        "*",
        "**",
        "[",
        "<<",
        "=",
        "a: b",
    ),
    *("'", '"', "\\", "#", "-", "?", "!x", "&x", "*x", "%s", "{0}", "[red]x[/]", "str", "[key]", "list[str]"),
    *(datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.datetime(2024, 1, 1, 10), b"bytes"),
    *([], {}, [[]], [None], {"": ""}, {"a": {"a": {"a": 1}}}, [1, "a", None], {1: 2}, {True: 1}, {"name": "x"}),
]


def _bytes(data: bytes, chance: random.Random) -> bytes:
    """A broken disk, a bad merge, a wrong encoding."""
    at, lines = chance.randrange(len(data)), data.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(9):
        case 0:
            return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[at + chance.randint(1, 40) :]
        case 2:
            return data[:at] + chance.choice(BYTES) + data[at:]
        case 3:
            return data[:at]
        case 4:
            lines[one], lines[other] = lines[other], lines[one]
        case 5:
            lines[one] = b" " * chance.randint(1, 5) + lines[one]
        case 6:
            lines[one] = lines[one][chance.randint(1, 3) :]
        case 7:
            return data.decode("utf-8", "replace").encode(chance.choice(["utf-16", "utf-32", "utf-16-le"]))
        case _:
            return data.replace(b"\n", chance.choice([b"\r\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8"]))
    return b"\n".join(lines)


def _text(data: bytes, chance: random.Random) -> bytes:
    """One change as a person would make it."""
    text = data.decode("utf-8", "replace")
    lines, at = text.split("\n"), chance.randrange(len(text) + 1)
    match chance.randrange(6):
        case 0:
            return (text[:at] + chance.choice(BITS) + text[at:]).encode()
        case 1:
            return (text[:at] + text[at + chance.randint(1, 30) :]).encode()
        case 2:
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
        case 3:
            del lines[chance.randrange(len(lines))]
        case 4:
            if values := list(re.finditer(r": ([^\n,{}\[\]]+)", text)):
                value = chance.choice(values)
                return (text[: value.start(1)] + chance.choice(BITS) + text[value.end(1) :]).encode()
        case _:
            return (text[:at] + chance.choice(string.printable) + text[at + 1 :]).encode()
    return "\n".join(lines).encode()


def _structure(data: bytes, chance: random.Random) -> bytes:
    """One value, key or entry that is another; the file stays YAML, mostly."""
    try:
        root = yaml.load(data, Loader=yaml.CSafeLoader)
        if not isinstance(root, dict | list) or not root:
            return data
        _change(root, chance)
        text: str = yaml.dump(root, Dumper=yaml.CSafeDumper, allow_unicode=chance.random() < 0.5, sort_keys=False)
    except (yaml.YAMLError, ValueError, RecursionError):
        return data
    deep = chance.choice(["[" * 3000 + "]" * 3000, "{a: " * 3000 + "}" * 3000])
    return text.replace(DEEP, deep).encode("utf-8", "surrogatepass")


def _change(root: Any, chance: random.Random) -> None:
    parent, key = chance.choice(list(_places(root)))
    match chance.randrange(5):
        case 0 | 1:
            parent[key] = chance.choice(VALUES)
        case 2:
            del parent[key]
        case 3 if isinstance(parent, dict):
            new = chance.choice([value for value in VALUES if isinstance(value, str | int | float | datetime.date)])
            parent[new if chance.random() < 0.5 else f"{key}x"] = parent.pop(key)
        case 4 if isinstance(parent, list):
            parent.append(parent[key])
        case _:
            parent[key] = [parent[key]] if chance.random() < 0.5 else {key: parent[key]}


def _places(node: Any) -> Any:
    """Every place of a value: what holds it, and its key there."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (_bytes, _text, _structure)


def refused(name: str, numbers: Iterable[int], folder: Path) -> int:
    """How many of the mutations of one file with these numbers are refused; the others compile.

    Raises:
        AssertionError: an error has no fix, or a place that is not there.
        TimeoutError: one took longer than `HANG_SECONDS`.
    """
    sample = {file: (ROOT / file).read_bytes() for file in SAMPLE}
    for file, text in sample.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(text)
    previous = signal.signal(signal.SIGALRM, _hangs)
    count = 0
    try:
        for number in numbers:
            chance, data = random.Random(f"{SEED} {name} {number}"), sample[name]
            for _ in range(chance.randint(1, 3)):
                data = chance.choice(CHANGES)(data, chance) if data else b"\n"
            (folder / name).write_bytes(data)
            signal.alarm(HANG_SECONDS)
            count += _refused(folder, data)
            signal.alarm(0)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    return count


def _refused(folder: Path, data: bytes) -> bool:
    try:
        project = load(folder / "penstock.yaml")
        # All environments have been checked; one of them, in turn, is also worked out.
        compile_plan(project, list(project.environments)[len(data) % len(project.environments)]).to_json()
    except InputError as error:
        for one in error.errors if isinstance(error, InputErrors) else (error,):
            assert one.what, data
            assert one.fix, data
            assert one.where.startswith(str(folder)), data
            file, *place = one.where.removeprefix(f"{folder}/").split(":")
            assert not place or 1 <= int(place[0]) <= len(re.split(b"\r\n|\r|\n", (folder / file).read_bytes())), data
            assert all(line.isprintable() and len(line) < 2500 for line in str(one).split("\n")), data
        return True
    return False


def _hangs(*_: object) -> None:
    raise TimeoutError(f"no answer in {HANG_SECONDS} seconds")
