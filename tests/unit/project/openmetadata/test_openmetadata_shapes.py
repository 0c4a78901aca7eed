"""Shapes exported from pydantic models take what the models take, and say what is wrong and where."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from penstock.project.document.document import parse
from penstock.project.openmetadata.shapes.export import export
from tests.functional.workflow_mistakes import WORDS, mistake
from tests.unit.project.openmetadata.openmetadata_models import Loose, Workflow, shapes

GOOD = """\
source:
  type: pond
  serviceName: s
  serviceConnection:
    config: {type: Pond, hostPort: "h:1", login: {password: x}, threads: 2, address: "http://a/b"}
  patterns: {includes: [a, b]}
workflowConfig:
  loggerLevel: INFO
  other: 1
  openMetadataServerConfig: {hostPort: "http://o/api", storeServiceConnection: false}
loose: {inner: {more: [1]}}
pipelineRunId: 01234567-89ab-cdef-0123-456789abcdef
"""
SEED = 20261130
MISTAKES = 1000


def _faults(text: str) -> list[tuple[str, str, str]]:
    document = parse(text, "w.yaml")
    faults = shapes().faults("workflow", document.root)
    return [(document.where(fault.node).removeprefix("w.yaml:"), fault.what, fault.fix) for fault in faults]


def test_takes_what_the_models_take() -> None:
    """Of a thousand single mistakes and odd values exactly those are refused that pydantic refuses."""
    chance, judged, good = random.Random(SEED), shapes(), yaml.safe_load(GOOD)
    verdicts = {True: 0, False: 0}
    for _ in range(MISTAKES):
        data, kind, path = mistake(good, chance)
        try:
            Workflow.model_validate(data)
            taken = True
        except ValidationError:
            taken = False
        faults = judged.faults("workflow", parse(yaml.dump(data, Dumper=yaml.CSafeDumper), "w.yaml").root)
        assert (not faults) is taken, f"{kind} at {path}: {data}"
        assert all(fault.what and fault.fix for fault in faults)
        verdicts[taken] += 1

    assert min(verdicts.values()) > MISTAKES / 10, "both kinds are there"


@pytest.mark.parametrize("value", WORDS, ids=repr)
@pytest.mark.parametrize("field", ["threads", "hostPort", "address", "type"])
def test_coerces_as_pydantic_does(field: str, value: Any) -> None:
    """A quoted number, `yes`, 1.0: what becomes a value of the type is taken, and nothing else."""
    data = yaml.safe_load(GOOD)
    data["source"]["serviceConnection"]["config"][field] = value
    try:
        Workflow.model_validate(data)
        taken = True
    except ValidationError:
        taken = False

    assert (_faults(yaml.safe_dump(data)) == []) is taken


FAULTS = {
    # name: (old, new with ¦ at the place, what, fix)
    "key": ("hostPort: \"h", "¦hostport: \"h", "Pond has no key 'hostport'", "did you mean 'hostPort'?"),
    "snake case": ("serviceName", "¦service_name", "Source has no key 'service_name'", "did you mean 'serviceName'?"),
    "key too many": ("patterns:", "¦colour: red\n  patterns:", "Source has no key 'colour'", "remove it"),
    "missing": ('hostPort: "h:1", ', "", "Pond needs 'hostPort', which is missing", "add hostPort: …"),
    "value of several": ("INFO", "¦INF", "'loggerLevel' cannot be 'INF'", "did you mean 'INFO'?"),
    "value": ("INFO", "¦no-auth", "'loggerLevel' cannot be 'no-auth'", "use one of: DEBUG, ERROR, INFO"),
    "type": ("type: Pond", "type: ¦Pnod", "'type' cannot be 'Pnod'", "did you mean 'Pond'?"),
    "type of another service": ("type: Pond", "type: ¦Sea", "'type' cannot be 'Sea'", "Atlas, Globe, Lake, Only, Pond"),
    "type misspelt": ("type: Pond", "¦tpye: Pond", "no key 'tpye', and 'type' is missing", "did you mean 'type'?"),
    "number": ("threads: 2", "threads: ¦two", "'threads' must be a whole number of 1 to 9, not 'two'", "write such"),
    "too large": ("threads: 2", "threads: ¦10", "'threads' must be a whole number of 1 to 9, not 10", "write such"),
    "truth": ("Connection: false", "Connection: ¦maybe", "must be true or false, not 'maybe'", "write true or false"),
    "number for text": ("serviceName: s", "serviceName: ¦7", "'serviceName' must be text, not 7", "put it in quotes"),
    "text for list": ("[a, b]", "¦a", "'includes' must be a list, not 'a'", "write [a]"),
    "list for mapping": ("{includes: [a, b]}", "¦[a]", "'patterns' must be a mapping, not a list", "remove the `- `"),
    "address": ('"http://a/b"', '¦"a/b"', "'address' must be an address, not 'a/b'", "with its scheme"),
    "empty": ("type: pond", "type:¦", "'type' must be text, not empty", "write text behind it"),
    "entry": ("[a, b]", "[a, ¦2]", "'includes' must be text, not 2", "put it in quotes"),
    "one of two": ("password: x", "passwort: x", "Password has no key 'passwort'", "did you mean 'password'?"),
    "identifier": ("01234567-89ab-cdef-0123-456789abcdef", "¦run-1", "must be a UUID, not 'run-1'", "write one"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "what", "fix"), FAULTS.values(), ids=FAULTS)
def test_says_what_is_wrong_where_and_what_to_do(old: str, new: str, what: str, fix: str) -> None:
    """One mistake, one fault, at its line and column, with the nearest right word."""
    text = GOOD.replace(old, new, 1)
    before = text.partition("¦")[0]
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    problems = _faults(text.replace("¦", ""))

    assert len(problems) == 1, problems
    assert what in problems[0][1]
    assert fix in problems[0][2]
    if "¦" in text:
        assert problems[0][0] == place


def test_secret_is_not_repeated() -> None:
    """A password of another type is refused without showing it."""
    text = GOOD.replace("password: x", "password: 12345678")

    assert [what for _, what, _ in _faults(text)] == ["'password' must be text, not what stands here"]


@pytest.mark.parametrize(
    ("old", "new", "taken"),
    [
        ("threads: 2", 'threads: "${N}"', True),
        ("threads: 2", 'threads: "1${N}"', True),
        ("Connection: false", 'Connection: "${B}"', True),
        ("INFO", '"${LEVEL}"', True),
        ("INFO", '"IN${X}"', True),
        ("INFO", '"X${X}"', False),
        ("http://a/b", "${SCHEME}://a", True),
        ("type: Pond", 'type: "${KIND}"', True),
        ("{includes: [a, b]}", '"${PATTERNS}"', False),
        ("[a, b]", '"${LIST}"', False),
        ("threads: 2", 'threads: "${my-host}"', False),
    ],
)
def test_text_that_is_filled_at_run_time(old: str, new: str, taken: bool) -> None:
    """It may become any scalar that a text can stand for, and never a list or a mapping."""
    assert (_faults(GOOD.replace(old, new, 1)) == []) is taken


def test_shape_that_is_not_understood_takes_anything() -> None:
    """A kind of schema that the export does not know refuses nothing, and is named."""
    exported = export({"loose": Loose})
    assert exported["unread"] == []

    class Odd(Loose):
        when: complex = 0j

    exported = export({"odd": Odd})
    assert exported["unread"]
    assert {"kind": "any"} in exported["shapes"]
