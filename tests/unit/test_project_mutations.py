"""Whatever someone types, the answer is an error that says where: never a traceback, never a long wait."""

from __future__ import annotations

import random
import re
import string
import time
from pathlib import Path

from penstock.compile import compile_plan
from penstock.project import load
from penstock_runtime.errors import InputError, InputErrors
from tests.unit.project_files import MELTANO, PROJECT, WORKFLOW, write

SEED = 20261121
MUTATIONS = 400
JOB = "jobs: [{name: j, tasks: [a b]}]\nschedules: [{name: s, interval: '@daily', job: j, env: {A: 1}}]\n"
FILES = {"penstock.yaml": PROJECT, "warehouse.yaml": WORKFLOW, "meltano/meltano.yml": MELTANO + JOB}
BITS = [
    *('"', "'", ":", "- ", "\t", "{", "}", "[", "]", "\n", "*x", "&x ", "!!python/object:os.system", "<<: ", "|", ">"),
    *("\0", "\ufeff", "é", "null", "5", "5.5", "true", "2024-13-45", "0x", "1:99", "=", "~", "${X}", "${", "%", "@"),
    *("`", "? ", "--- ", "...\n", "#", "x" * 5000, "9" * 5000, ".inf", "2024-01-01", "[]", "{}", "[a]", "{a: b}", ""),
]


def _mutated(text: str, chance: random.Random) -> str:
    """One change as a person, or a bad merge, would make it."""
    lines, position = text.split("\n"), chance.randrange(len(text) + 1)
    match chance.randrange(6):
        case 0:
            return text[:position] + chance.choice(BITS) + text[position:]
        case 1:
            return text[:position] + text[position + chance.randint(1, 30) :]
        case 2:
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
        case 3:
            del lines[chance.randrange(len(lines))]
        case 4:
            if values := list(re.finditer(r": ([^\n,{}\[\]]+)", text)):
                value = chance.choice(values)
                return text[: value.start(1)] + chance.choice(BITS) + text[value.end(1) :]
        case _:
            return text[:position] + chance.choice(string.printable) + text[position + 1 :]
    return "\n".join(lines)


def test_no_mutation_of_a_project_escapes_as_anything_but_an_input_error(tmp_path: Path) -> None:
    """Each mutated project compiles, or is refused with a place and a fix, within two seconds."""
    chance = random.Random(SEED)
    refused = 0
    for _ in range(MUTATIONS):
        name = chance.choice(list(FILES))
        text = FILES[name]
        for _ in range(chance.randint(1, 3)):
            text = _mutated(text, chance)
        path = write(tmp_path, files={**FILES, name: text})
        start = time.monotonic()
        try:
            project = load(path)
            for environment in project.environments:
                compile_plan(project, environment)
        except InputError as error:
            refused += 1
            for one in error.errors if isinstance(error, InputErrors) else (error,):
                assert one.fix, text
                assert one.where.startswith(str(tmp_path)), text
        assert time.monotonic() - start < 2, text

    assert MUTATIONS / 4 < refused < MUTATIONS
