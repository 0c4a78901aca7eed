"""What looks as if something would fill it, and nothing does: `$NAME`, a shell's syntax, Airflow's `{{ ds }}`.

In workflow files, commands and `env` only `${NAME}` is filled. OpenMetadata's own loader (`metadata ingest -c`) fills
`$NAME` as well, by os.path.expandvars, so does a shell, and Airflow fills templates; people who come from there write
those. For a name that the project declares the fix is certain, so that is an error. Anything else may be meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.problem import Problem
from penstock.project.document.literals import ALLOW, references, scalars
from penstock.project.document.problems import nearest
from penstock.project.document.report import Report
from penstock.project.jobs.tasks import MAX_COMMAND
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.settings import Settings
from penstock_runtime.contract import SERVER_VARIABLE

_BARE = re.compile(r"(?<![\\$])\$([A-Za-z_][A-Za-z0-9_]*)")
_LIKE_A_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]+")
_TEMPLATE = re.compile(
    r"\{\{\s*(?:(?:ds|ts)(?:_nodash\w*)?|(?:prev|next|yesterday|tomorrow)_\w+|data_interval_\w+|logical_date"
    r"|execution_date|dag_run|run_id|dag|task|ti|task_instance|params|var|conn|macros)\b[^}]{0,200}\}\}"
)
"""Airflow's variables (Apache Airflow documentation, "Templates reference")."""
_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_OPERATOR = re.compile(
    r"(?<!\S)(?:\|\|?|&&|&|;|[0-9]?>>?(?:&[0-9])?|<<?)(?!\S)|(?<!\S)[0-9&]?>>?[^\s>]+|(?<=\S);(?=\s|$)"
)
_OPERATORS = frozenset({"|", "||", "&&", ">", ">>", "2>&1"})
_SHELL = "write command: [sh, -c, '…'] with the whole line in quotes"
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh"})


def in_workflow(workflow: Workflow, settings: Settings) -> Iterator[Problem]:
    """`$NAME` and templates in a workflow file."""
    document = workflow.document
    for _, node in scalars(document.root):
        if not isinstance(node.value, str) or ("$" not in node.value and "{{" not in node.value):
            continue
        if ALLOW in document.line(node):
            continue
        where = document.where(node)
        for name in dict.fromkeys(_BARE.findall(node.value)):
            if name in {*settings.secrets, *settings.variables, SERVER_VARIABLE}:
                yield _braces(name, where)
            elif _LIKE_A_VARIABLE.fullmatch(name):
                yield Problem(
                    f"nothing fills ${name}",
                    f"declare {name} and write ${{{name}}}, or end the line with `{ALLOW}` if it is text",
                    where=where,
                    is_error=False,
                )
        if template := _TEMPLATE.search(node.value):
            yield _template(template[0], where)


def in_tasks(settings: Settings, report: Report) -> Iterator[Problem]:
    """References, a shell's syntax and templates in commands, and in `env` of tasks and schedules."""
    for job, job_settings in settings.jobs.items():
        of_schedules = {name for schedule in settings.schedules if schedule.job == job for name in schedule.env}
        for index, task in enumerate(job_settings.tasks):
            here = ("jobs", job, "tasks", index)
            yield from _env(settings, report, task.env, *here, "env")
            for kind in ("command", "meltano"):
                line = getattr(task, kind)
                if line is not None and ALLOW not in report.line(*here, kind):
                    has = {*task.env, *task.secrets, *of_schedules}
                    yield from _Command(kind, settings, has, report.place(*here, kind)).problems(line)
    for index, schedule in enumerate(settings.schedules):
        yield from _env(settings, report, schedule.env, "schedules", index, "env")


def _env(settings: Settings, report: Report, env: dict[str, str], *path: str | int) -> Iterator[Problem]:
    for key, value in env.items():
        if ALLOW in report.line(*path, key):
            continue
        where = report.place(*path, key)
        for name in dict.fromkeys(_BARE.findall(value)):
            if name in settings.variables:
                yield _braces(name, where)
            elif name in settings.secrets:
                what = f"${name} in env {key!r} is taken as text"
                fix = f"write secrets: [{name}] in the task: its process gets the secret as the variable {name}"
                yield Problem(what, fix, where=where)
            elif _LIKE_A_VARIABLE.fullmatch(name):
                fix = f"declare {name} under variables and write ${{{name}}}, or end the line with `{ALLOW}`"
                yield Problem(
                    f"nothing fills ${name} in env {key!r}: it is taken as text", fix, where=where, is_error=False
                )
        if template := _TEMPLATE.search(value):
            yield _template(template[0], where)


@dataclass(frozen=True)
class _Command:
    """The command line of a task."""

    kind: str
    """`command` or `meltano`."""
    settings: Settings
    has: set[str]
    """What its process gets besides what the line itself names in braces."""
    where: str

    def problems(self, line: str | list[str]) -> Iterator[Problem]:
        texts = [line] if isinstance(line, str) else line
        if sum(map(len, texts)) > MAX_COMMAND:
            return  # reported as such
        for text in texts:
            if template := _TEMPLATE.search(text):
                yield _template(template[0], self.where)
        if _runs_a_shell(_QUOTED.sub("x", line).split() if isinstance(line, str) else line):
            for text in texts:
                yield from self._script(text, {*self.has, *references("".join(texts))})
            return
        for text in texts:
            yield from self._plain(text)
        operator = _operator_in(line) if isinstance(line, str) else _operator_among(line)
        if operator is not None:
            what = f"{operator!r} is passed on as an argument: no shell runs it"
            fix = _SHELL if self.kind == "command" else "make it two tasks, or a task with command: [sh, -c, '…']"
            yield Problem(what, fix, where=self.where, is_error=False)

    def _plain(self, text: str) -> Iterator[Problem]:
        """A text that no shell reads: `${NAME}` of a variable is filled in a command, and nothing else is."""
        bare = dict.fromkeys(_BARE.findall(text))
        for name in (*bare, *dict.fromkeys(references(text))):
            braced, shown = name not in bare, f"${name}" if name in bare else f"${{{name}}}"
            if self.kind == "meltano":
                what = f"{shown} is text here: `meltano run` fills no argument"
                fix = "write the value out; what is a setting can name it in meltano.yml"
                yield Problem(what, fix, where=self.where, is_error=braced or name in self._declared)
            elif name in self.settings.secrets:
                what = f"secret {name} is not filled in: in a command it is a variable of the process, for a shell"
                yield Problem(what, f"write command: [sh, -c, '… \"${{{name}}}\" …']", where=self.where)
            elif name in self.settings.variables:
                yield from [] if braced else [_braces(name, self.where)]
            elif braced or _LIKE_A_VARIABLE.fullmatch(name):
                fix = nearest(name, self._declared, kind="secret or variable")
                if not fix.startswith("did"):
                    fix = f"declare {name} under variables and write ${{{name}}}; or, where a shell is meant, {_SHELL}"
                yield Problem(f"nothing fills {shown}: no shell runs here", fix, where=self.where, is_error=braced)

    def _script(self, text: str, there: set[str]) -> Iterator[Problem]:
        """What a shell reads. A name that the script sets itself is its own."""
        for name in dict.fromkeys([*_BARE.findall(text), *references(text)]):
            if re.search(rf"\b{name}=|\b(?:for|read|export)\b[^;\n]*\b{name}\b", text):
                continue
            if name in self._declared and name not in there:
                secret = name in self.settings.secrets
                more = f", or secrets: [{name}] in the task" if secret else ""
                what = f"the task does not get {'secret' if secret else 'variable'} {name}: ${name} is empty"
                yield Problem(what, f"write ${{{name}}}{more}", where=self.where)
            elif name not in self._declared | self.has:
                close = nearest(name, self._declared, kind="name")
                if close.startswith("did"):
                    what = f"the project has no secret or variable {name}, and the script does not set it"
                    yield Problem(what, close, where=self.where, is_error=False)

    @property
    def _declared(self) -> set[str]:
        return {*self.settings.secrets, *self.settings.variables}


def _operator_in(line: str) -> str | None:
    plain = _QUOTED.sub("x", _TEMPLATE.sub("x", line))
    if operator := _OPERATOR.search(plain):
        return operator[0].strip()
    return next((operator for operator in ("`", "$(") if operator in plain), None)


def _operator_among(arguments: list[str]) -> str | None:
    """One that is an argument by itself. Behind an option it is the option's value: `cut -d '|'`."""
    pairs = zip(["", *arguments], arguments, strict=False)
    return next((operator for before, operator in pairs if operator in _OPERATORS and not before.startswith("-")), None)


def _braces(name: str, where: str) -> Problem:
    return Problem(f"${name} is taken as text: only names in braces are filled", f"write ${{{name}}}", where=where)


def _runs_a_shell(arguments: list[str]) -> bool:
    """Whether it is `sh -c …`, or another shell, with its way or behind `env`, `exec` and the like."""
    names = [argument.rsplit("/", 1)[-1] for argument in arguments]
    shells = [index for index, name in enumerate(names) if name in _SHELLS]
    return any(
        any(argument.startswith("-") and "c" in argument for argument in arguments[index + 1 :]) for index in shells
    )


def _template(text: str, where: str) -> Problem:
    what = f"{text[:60]!r} is passed on as text: Airflow fills no template here"
    fix = "have the program work out the date itself: in a shell, date -u +%F"
    return Problem(what, fix, where=where, is_error=False)
