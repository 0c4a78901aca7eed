"""The startup script: what bash says of it before MWAA runs it.

MWAA runs it with bash in every container, before it installs the requirements and starts Airflow, and stops it after
five minutes. Source: aws/amazon-mwaa-docker-images, `mwaa/config/setup_environment.py`; MWAA user guide, "Using a
startup script", which names no limit of its size: the one here is `document.MAX_BYTES`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.document.literals import ALLOW, literal_secret

_SECONDS = 5
_SYNTAX = re.compile(r"line (?P<line>\d+): (?P<what>.*)")
_HERE_DOCUMENT = re.compile(
    r"warning: here-document at line (?P<line>\d+) delimited by end-of-file \(wanted `(?P<word>.*)'\)"
)
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>\"[^\"$`]*\"|'[^']*'|[^\s$`\"';&|()]+)")


def check(text: str, name: str) -> Iterator[Problem]:
    """What bash cannot read, and secrets that stand in the script.

    Args:
        name: the file, as errors show it.
    """
    if not text.strip():
        yield Problem(f"{name} is empty", "write a bash script, or leave startup_script out", where=f"{name}:1:1")
        return
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        what = "a NUL byte: bash takes the file for a program, or leaves the byte out"
        yield Problem(what, "save the script as text", where=f"{name}:{line}:1")
        return
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        what = "a line ends in CR LF, and bash takes the CR for a part of the command"
        yield Problem(what, "save the file with LF line ends", where=f"{name}:{line}:1")
        return
    if wrong := _syntax(text):
        line, what, fix = wrong
        yield Problem(what, fix, where=f"{name}:{line}:1")
    for number, raw in enumerate(text.splitlines(), 1):
        assignment = _ASSIGNMENT.match(raw)
        if (
            assignment
            and ALLOW not in raw
            and (wrong_value := literal_secret(assignment["name"], assignment["value"].strip("\"'")))
        ):
            what = f"{wrong_value}: whoever reads the DAG bucket reads it"
            fix = f"read it from Secrets Manager in the script, or write `{ALLOW}` behind it"
            yield Problem(what, fix, where=f"{name}:{number}:1")


def _syntax(text: str) -> tuple[int, str, str] | None:
    """Line and words of bash's first complaint, and the fix; None where there is none, or no bash."""
    bash = shutil.which("bash")
    if bash is None:
        return None
    # Reads and runs nothing; without an environment, so that no BASH_ENV is read either.
    done = subprocess.run(
        [bash, "--norc", "--noprofile", "-n"],
        input=text.encode(),
        env={"LC_ALL": "C"},
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    said = done.stderr.decode(errors="replace")
    if done.returncode == 0:
        return _open_ended(text, said)
    complaint = _SYNTAX.search(said)
    line, what = (int(complaint["line"]), complaint["what"]) if complaint else (1, said.strip() or "it cannot be read")
    return line, f"bash: {what[:200]}", "correct the syntax here or above"


def _open_ended(text: str, said: str) -> tuple[int, str, str] | None:
    """A here-document that goes on to the end of the script: to bash a warning, though it runs none of those lines.

    `$(cat <<END` may end in `END)`, which bash warns of too, and understands.
    """
    for warning in _HERE_DOCUMENT.finditer(said):
        word = warning["word"]
        if re.search(rf"^\t*{re.escape(word)}\)", text, re.MULTILINE) is None:
            what = f"bash: the here-document does not end: no line is {word[:60]!r} and nothing else"
            return int(warning["line"]), what, f"end it with a line {word[:60]}, without spaces around it"
    return None
