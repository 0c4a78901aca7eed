"""References in Meltano's files that Meltano would not fill: `${NAME}` and `$NAME`.

Where Meltano 4.4.1 fills them, and from what (tried with `run`, `invoke` and `config print`, value by value):

    a plugin's config, defaults, extras   the process; `env` at the top, of the Meltano environment and of the plugin
    env of the Meltano environment        the process; `env` at the top
    env of a plugin                       `env` of the Meltano environment, and nothing else
    env at the top                        nothing
    env of a schedule                     nothing: a variable of a process is taken literally
    pip_url                               what there is where the image is built

What is not known becomes empty, without a word. Looked at are the plugins that runs use, in the environment that they
use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document
from penstock.project.document.literals import ALLOW, no_reference, scalars
from penstock.project.document.parts import entries, mapping
from penstock.project.document.problems import nearest
from penstock.project.meltano.plugins import OWN_PREFIX, Plugin
from penstock.project.meltano.project import MeltanoProject
from penstock.project.meltano.variables import REFERENCE, names_in
from penstock.project.rules.meltano.usage import used
from penstock.project.settings import Settings

OF_A_CONTAINER = frozenset(
    {"PATH", "HOME", "PWD", "HOSTNAME", "LANG", "TMPDIR", "PYTHONUNBUFFERED", "PYTHON_VERSION"}
    | {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}
    | {"ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4", "ECS_AGENT_URI"}
)
"""Variables of every container: of Python's image, and those that Fargate's agent sets (Amazon ECS Developer Guide,
"Amazon ECS container metadata")."""
_NEVER_FILLED = frozenset(
    {"name", "namespace", "inherit_from", "variant", "label", "description", "docs", "repo", "logo_url", "executable"}
    | {"capabilities", "requires", "settings_group_validation", "python", "keywords", "maintenance_status"}
)
"""Keys of a plugin that Meltano takes unchanged."""
_NOT_SETTINGS = frozenset(
    {"plugins", "environments", "schedules", "jobs", "env", "include_paths", "annotations", "requires_meltano"}
)
"""Keys at the top that are not settings of Meltano's."""


@dataclass(frozen=True)
class _Scope:
    """Where a reference is, and what fills it there."""

    title: str
    known: frozenset[str]
    prefixes: tuple[str, ...] = ()
    """Of variables that fill it as well."""
    process: bool = True
    """Whether a secret or variable of the project would."""


def check(project: MeltanoProject, settings: Settings, environment: str | None) -> Iterator[Problem]:
    """What nothing fills.

    Args:
        environment: the Meltano environment of the runs; None: they have none.
    """
    yield from _References(project, settings, environment).problems()


class _References:
    def __init__(self, project: MeltanoProject, settings: Settings, environment: str | None) -> None:
        assert settings.meltano is not None, "there is a Meltano project"
        self._project, self._settings = project, settings
        self._own_image = settings.meltano.image is not None
        self._active = [
            (document, entry)
            for document in project.documents
            for entry in entries(document.root.value.get("environments"))
            if isinstance(entry.value, dict) and environment is not None and _name(entry) == environment
        ]
        self._environment = environment
        self._top_env = frozenset(
            name for document in project.documents for name in _keys(document.root.value.get("env"))
        )
        self._active_env = frozenset(name for _, entry in self._active for name in _keys(entry.value.get("env")))
        self._declared = frozenset({*settings.secrets, *settings.variables})
        self._process = self._declared | OF_A_CONTAINER | self._env_of_runs()
        if self._own_image:
            self._process |= project.dotenv

    def _env_of_runs(self) -> frozenset[str]:
        """What schedules and tasks set for a run."""
        settings = self._settings
        names = {name for schedule in self._project.schedules for name in schedule.env}
        names |= {name for schedule in settings.schedules for name in schedule.env}
        names |= {name for job in settings.jobs.values() for task in job.tasks for name in task.env}
        return frozenset(names)

    def problems(self) -> Iterator[Problem]:
        process = self._process | self._top_env
        for document in self._project.documents:
            root = document.root.value
            top = _Scope("the file", process | self._active_env)
            for key, node in root.items():
                if key not in _NOT_SETTINGS:
                    yield from self._look(document, node, top)
            yield from self._top(document, root.get("env"))
        for document, entry in self._active:
            scope = _Scope(f"env of the environment {self._environment!r}", process)
            yield from self._look(document, entry.value.get("env"), scope)
            yield from self._look(document, entry.value.get("state_id_suffix"), scope)
        for plugin in used(self._project, self._settings):
            yield from self._plugin(plugin)
        yield from self._schedules()

    def _plugin(self, plugin: Plugin) -> Iterator[Problem]:
        own = frozenset(_keys(plugin.node.value.get("env")))
        overrides = list(self._overrides(plugin))
        env = own | frozenset(name for _, node in overrides for name in _keys(node.value.get("env")))
        env |= self._inherited(plugin)
        config = _Scope(f"plugin {plugin.name!r}", self._process | self._top_env | self._active_env | env)
        of_env = _Scope(f"env of plugin {plugin.name!r}", self._active_env, process=False)
        yield from self._definition(plugin, plugin.document, plugin.node, config, of_env)
        for document, node in overrides:
            yield from self._definition(plugin, document, node, config, _Scope(of_env.title, own, process=False))
        if not self._own_image:
            install = _Scope("pip_url", self._top_env | own | OF_A_CONTAINER, (OWN_PREFIX,), process=False)
            for name, document, node in self._unfilled(plugin.document, plugin.node.value.get("pip_url"), install):
                yield Problem(
                    f"nothing fills ${name} in pip_url of plugin {plugin.name!r} where its image is built",
                    "write the address out, with a lock file beside meltano.yml; or build the image yourself and name "
                    "it in meltano.image",
                    where=document.where(node),
                )

    def _inherited(self, plugin: Plugin) -> frozenset[str]:
        """What `env` of the plugins that it inherits from sets."""
        names: set[str] = set()
        seen, parent = {plugin.name}, plugin.parent
        while parent is not None and parent not in seen:
            seen.add(parent)
            parents = self._project.plugins.get(parent, [])
            names |= {name for plugin_ in parents for name in _keys(plugin_.node.value.get("env"))}
            parent = parents[0].parent if parents else None
        return frozenset(names)

    def _definition(
        self, plugin: Plugin, document: Document, node: Node, config: _Scope, env: _Scope
    ) -> Iterator[Problem]:
        """A plugin's own mapping, or what the Meltano environment says over it."""
        # Extras and commands may name the plugin's settings, too.
        wider = _Scope(config.title, config.known, (OWN_PREFIX, *(f"{prefix}_" for prefix in plugin.prefixes)))
        for key, value in node.value.items():
            if key == "env":
                yield from self._look(document, value, env)
            elif key == "settings":
                for setting in entries(value):
                    yield from self._look(document, mapping(setting).get("value"), config)
            elif key == "config":
                yield from self._look(document, value, config)
            elif key not in _NEVER_FILLED and key != "pip_url":
                yield from self._look(document, value, wider)

    def _overrides(self, plugin: Plugin) -> Iterator[tuple[Document, Node]]:
        for document, entry in self._active:
            config = mapping(entry.value.get("config"))
            for node in entries(mapping(config.get("plugins")).get(plugin.kind)):
                if isinstance(node.value, dict) and _name(node) == plugin.name:
                    yield document, node

    def _top(self, document: Document, node: Node | None) -> Iterator[Problem]:
        """The environment's `env` is filled from what stands here, so a reference may be of use to that."""
        needed = {
            name
            for _, entry in self._active
            for _, value in scalars(entry.value.get("env", entry))
            if isinstance(value.value, str)
            for name in names_in(value.value)
        }
        for key, value in mapping(node).items():
            if isinstance(value.value, str) and str(key) not in needed and ALLOW not in document.line(value):
                for name in names_in(value.value)[:1]:
                    where = f"{{name: {self._environment}, env: {{{key}: {value.value}}}}}"
                    fix = f"move it to the Meltano environment, where Meltano fills it: environments: [{where}]"
                    if name not in self._process and not name.startswith(OWN_PREFIX):
                        fix += f", and declare {name} under secrets or variables in penstock.yaml"
                    what = f"Meltano does not fill ${name} in env at the top of the file: plugins get the text"
                    yield Problem(what, fix, where=document.where(value))

    def _schedules(self) -> Iterator[Problem]:
        for schedule in self._project.schedules:
            for key, document, node in schedule.env_nodes:
                if ALLOW in document.line(node) or not isinstance(node.value, str):
                    continue
                for match in REFERENCE.finditer(node.value):
                    if match["escaped"]:
                        continue
                    problem = self._of_a_process(key, match["braced"], match["bare"], document.where(node))
                    if problem is not None:
                        yield problem

        for schedule in self._project.schedules:
            for text in (text for texts in schedule.tasks for text in texts):
                for name in names_in(text)[:1]:
                    what = f"${name} in the tasks of job {schedule.job!r} is text: `meltano run` fills no argument"
                    yield Problem(what, "write the value out", where=schedule.where, is_error=False)

    def _of_a_process(self, key: str, braced: str | None, bare: str | None, where: str) -> Problem | None:
        """A reference in a variable of a process: Meltano never fills it, Penstock fills `${NAME}` of a variable."""
        name = braced or bare or ""
        if name in self._settings.secrets:
            what = f"env {key!r} names secret {name!r}, and Meltano never fills a variable of a process: it is text"
            reference = self._settings.secrets[name]
            fix = f"write secrets: {{{key}: {reference[:200]!r}}} and meltano: {{secrets: [{key}]}} in penstock.yaml"
            return Problem(what, f"{fix}, and remove it here", where=where)
        if name in self._settings.variables:
            if braced:
                return None
            what = f"${name} is taken as text: Meltano never fills a variable of a process"
            return Problem(what, f"write ${{{name}}}", where=where)
        what = f"nothing fills {f'${{{braced}}}' if braced else f'${bare}'} in env {key!r}: it is taken as text"
        fix = nearest(name, self._declared, kind="secret or variable")
        return Problem(what, fix, where=where, is_error=braced is not None)

    def _look(self, document: Document, node: Node | None, scope: _Scope) -> Iterator[Problem]:
        for name, place, value in self._unfilled(document, node, scope):
            yield self._problem(name, scope, place.where(value))
        for _, value in scalars(node) if node is not None else ():
            if (
                isinstance(value.value, str)
                and (odd := no_reference(value.value))
                and ALLOW not in document.line(value)
            ):
                yield Problem(
                    f"Meltano does not fill {odd}: a name has letters, digits and _ only",
                    f"write ${{NAME}} of a secret or variable, or end the line with `{ALLOW}` to keep it",
                    where=document.where(value),
                    is_error=not self._own_image,
                )

    def _unfilled(self, document: Document, node: Node | None, scope: _Scope) -> Iterator[tuple[str, Document, Node]]:
        prefixes = (OWN_PREFIX, *scope.prefixes) if scope.process else scope.prefixes
        for _, value in scalars(node) if node is not None else ():
            if not isinstance(value.value, str) or "$" not in value.value or ALLOW in document.line(value):
                continue
            for name in dict.fromkeys(names_in(value.value)):
                if name not in scope.known and not (prefixes and name.startswith(prefixes)):
                    yield name, document, value

    def _problem(self, name: str, scope: _Scope, where: str) -> Problem:
        if not scope.process:
            what = f"Meltano leaves ${name} empty in {scope.title}: only env of the Meltano environment fills it there"
            value = f"${{{name}}}" if name in self._process or name.startswith(OWN_PREFIX) else "…"
            env = f"environments: [{{name: {self._environment}, env: {{{name}: {value}}}}}]"
            return Problem(what, f"write it in the plugin's config, or add it there: {env}", where=where)
        what = f"${{{name[:60]}}} is neither a secret nor a variable of the project, and Meltano leaves it empty"
        close, declare = nearest(name, self._declared, kind="name"), f"declare {name} under secrets or variables"
        fix = close if close.startswith("did") else f"{declare} in penstock.yaml"
        if name in self._project.dotenv:
            fix = f"{declare} in penstock.yaml: .env does not go into the image"
            fix += f"; or {close}" if close.startswith("did") else ""
        elif self._own_image:
            fix += "; nothing is wrong if the image itself sets it"
        return Problem(what, fix, where=where, is_error=not self._own_image)


def _name(node: Node) -> str | None:
    named = node.value.get("name")
    return str(named.value) if named is not None else None


def _keys(node: Node | None) -> Collection[str]:
    return [str(key) for key in mapping(node)]
