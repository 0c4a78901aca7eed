"""An OpenMetadata workflow, run by the `openmetadata-ingestion` package that the image holds.

`launch` is for the container; `python -m penstock_runtime.container.engines.openmetadata` is the process that it
starts: a separate process because the package is heavy, starts threads, and must be stoppable whatever it does. What
such an end leaves open on the server's page, `pipeline_state` closes.
"""

from __future__ import annotations

import io
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import penstock_runtime
from penstock_runtime import contract
from penstock_runtime.container import files
from penstock_runtime.container.engines import (
    Counts,
    Launch,
    Report,
    catalogue,
    results,
    server_version,
    streamed_log,
    version,
)
from penstock_runtime.container.engines.results import Demands, Results
from penstock_runtime.container.environment import Run, read, read_names, secret_names
from penstock_runtime.container.fetch import fetch
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError
from penstock_runtime.fill import fill
from penstock_runtime.workflow_types import WORKFLOW_TYPES, WorkflowType

PACKAGE = "openmetadata-ingestion"

DEFAULTS = {"PYTHONUNBUFFERED": "1", "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
"""Defaults that a task may override."""

STOCK_CONFIG, STOCK_TYPE, STOCK_RUN = "config", "pipelineType", "pipelineRunId"
"""The environment variables of the upstream image's own `main.py`."""

_REFUSED = frozenset({"ParsingConfigurationError", "InvalidWorkflowException", "ConfigurationError", "ValidationError",
                      "InvalidWorkflowJSONException", "InvalidAppConfiguration"})  # fmt: skip
"""How the package and its pydantic say that a config is wrong."""

_UNREACHABLE = "SourceConnectionException"
"""How it says that the source refuses access; what it tried is in the log by then."""

_NOT_THERE = frozenset({"MissingPluginException", "DynamicImportException", "ModuleNotFoundError", "NoSuchModuleError"})
"""How the package, Python and SQLAlchemy say that what a connector needs is not installed."""


def launch(environ: Mapping[str, str]) -> Launch:
    """The process that runs the workflow.

    Raises:
        RunError: the workflow type is missing or unknown.
    """
    kind = environ.get(STOCK_TYPE, "") if stock(environ) else read(environ, contract.WORKFLOW_TYPE)
    _known(kind, version(PACKAGE))
    # Where this package is, also when that is inside the archive: the child imports it from there too.
    package = str(Path(penstock_runtime.__file__).parent.parent)
    path = [package, *filter(None, [environ.get("PYTHONPATH")])]
    return Launch(
        command=(sys.executable, "-m", "penstock_runtime.container.engines.openmetadata"),
        title=f"{PACKAGE} {version(PACKAGE)}, workflow type {kind}",
        environment={
            **{name: value for name, value in DEFAULTS.items() if name not in environ},
            "PYTHONPATH": os.pathsep.join(path),
        },
        after_failure=(sys.executable, "-m", "penstock_runtime.container.engines.pipeline_state"),
        reports=True,
    )


def stock(environ: Mapping[str, str]) -> bool:
    """Whether the container was started by upstream's contract: `config` and `pipelineType`, without Penstock's."""
    return contract.ENGINE not in environ and STOCK_CONFIG in environ


def config(environ: Mapping[str, str]) -> dict[str, Any]:
    """The workflow config, filled and with its run id.

    Raises:
        RunError: it cannot be fetched, is not a YAML object, or uses a name that the task does not have.
    """
    import yaml

    if stock(environ):
        text = environ[STOCK_CONFIG]
        where = f"the environment variable {STOCK_CONFIG}"
    else:
        where = read(environ, contract.CONFIG_URI)
        text = fetch(where, read(environ, contract.CONFIG_SHA256)).decode()
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _refused(where, f"is not YAML: {error}") from error
    if not isinstance(data, dict):
        raise _refused(where, "is not a YAML mapping")
    if stock(environ):
        # As upstream does: taken literally, with the caller's run id.
        return data | ({STOCK_RUN: environ[STOCK_RUN]} if environ.get(STOCK_RUN) else {})
    filled: dict[str, Any] = files.located(fill(data, read_names(environ, contract.NAMES), environ), environ)
    catalogue.clean_token(filled)
    if filled.get("ingestionPipelineFQN"):
        filled.setdefault("pipelineRunId", str(run_id(Run.read(environ))))
    return filled


def run_id(run: Run) -> uuid.UUID:
    """OpenMetadata shows runs by this id and accepts only UUIDs: one per try, always the same."""
    identity = (run.project, run.environment, run.schedule, run.dag_run, run.task, str(run.attempt))
    return uuid.uuid5(uuid.NAMESPACE_URL, "penstock:" + "/".join(identity))


def main() -> int:
    """Run the workflow of this process's environment; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A locale that lacks a character must not end the workflow.
            stream.reconfigure(errors="backslashreplace")
    try:
        settings = config(os.environ)
        kind = os.environ.get(STOCK_TYPE, "") if stock(os.environ) else read(os.environ, contract.WORKFLOW_TYPE)
        if not stock(os.environ):
            server_version.check(settings, PACKAGE, version(PACKAGE))
        if settings.get("enableStreamableLogs") and not streamed_log.mask(_secrets(os.environ)):
            print("penstock: the log is not sent to the server: secrets in it could not be masked", flush=True)
            settings["enableStreamableLogs"] = False
        return execute(kind, settings, Demands.read(os.environ))
    except RunError as error:
        print(f"penstock: {error}", flush=True)
        path = os.environ.get(contract.REPORT)
        if path and not Path(path).exists():
            Report(own_error=True).write(Path(path))
        return error.exit_code


def _secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    values = (environ[name] for name in secret_names(environ) if name in environ)
    return (*values, *files.decoded(environ))


def execute(kind: str, settings: dict[str, Any], demands: Demands = Demands()) -> int:  # noqa: B008  frozen
    """Create the workflow, run it, print its status, report its counts.

    Args:
        demands: what the task asks of its results, besides the workflow's own threshold.

    Raises:
        RunError: the type is unknown, or the package refuses the config.
    """
    from importlib import import_module

    row = _known(kind, version(PACKAGE))
    try:
        workflow_class = getattr(import_module(f"metadata.workflow.{row.module}"), row.class_name)
    except ImportError as error:
        raise RunError(
            f"{PACKAGE} {version(PACKAGE)} cannot run workflow type {kind}: {error}",
            fix="use an image of the OpenMetadata server's version, with the connector's extra installed",
            exit_code=Exit.WRONG_INPUT,
        ) from error
    seen = results.listen(kind)
    try:
        workflow = workflow_class.create(settings)
    except Exception as error:
        # By name: the package's modules differ by version.
        if server_error := catalogue.server_error(error, settings):
            raise server_error from error
        if type(error).__name__ in _REFUSED:
            raise _refused("the workflow config", f"is refused by {PACKAGE} {version(PACKAGE)}: {error}") from error
        if type(error).__name__ == _UNREACHABLE:
            # What it tried last, in the words of the source's own driver.
            tried = f": {seen.errors[-1]}" if seen.errors else ""
            raise RunError(
                f"cannot work with the source: {error}{tried}",
                fix="see the test connection above; check address, user, password, grants and the network",
                exit_code=Exit.FAILED,
            ) from error
        if type(error).__name__ in _NOT_THERE:
            raise _left_out(settings, error) from error
        raise
    results.watch(seen, workflow)
    results.demand(workflow, seen, demands)
    # Newer packages print it at the end of `execute`, older ones do not: once is enough.
    printed: list[bool] = []
    print_status = workflow.print_status

    def print_once() -> None:
        if not printed:
            printed.append(True)
            print_status()

    workflow.print_status = print_once
    try:
        workflow.execute()
        workflow.print_status()
    except Exception as error:
        if server_error := catalogue.server_error(error, settings):
            raise server_error from error
        raise
    finally:
        _report(workflow, seen)
    for finding in seen.findings():
        print(f"penstock: {finding}", flush=True)
    if settings.get("workflowConfig", {}).get("raiseOnError", True):
        return _result(workflow, settings)
    if missed := results.broken(workflow, seen, demands):
        return _failed(missed)
    return Exit.DONE


def _result(workflow: Any, settings: dict[str, Any]) -> int:
    """The exit code: failed if a step's success is below `successThreshold`, as the package decides."""
    from metadata.config.common import WorkflowExecutionError

    try:
        workflow.raise_from_status()
    except WorkflowExecutionError as error:
        code = _failed(str(error))
        # The token may have expired meanwhile, or the server may be down: then that is the cause.
        if server_error := catalogue.ask_server(settings):
            print(f"penstock: {server_error}", flush=True)
        return code
    return Exit.DONE


def _failed(why: str) -> int:
    fix = (
        "see the status above, and what was logged before it; what may be let pass is set by successThreshold in the "
        "workflow file, and by fail_on_warnings and min_success_percent in the task"
    )
    print(f"penstock: the workflow failed: {why}\n  fix: {fix}", flush=True)
    return Exit.FAILED


def _report(workflow: Any, seen: Results) -> None:
    """Write the counts for the container: records of the source; failures and warnings of all steps, and what else
    there was to warn of."""
    path = os.environ.get(contract.REPORT)
    if not path:
        return
    statuses = [step.get_status() for step in workflow.workflow_steps()]
    first = getattr(getattr(workflow, "source", None), "status", None) or (statuses[0] if statuses else None)
    counts = Counts(
        failures=sum(len(status.failures) for status in statuses),
        warnings=sum(len(status.warnings) for status in statuses) + seen.warnings(),
    )
    if first is not None:
        # Some steps count, others keep a list of names.
        counts.records = getattr(first, "record_count", 0) or len(first.records)
    Report(counts).write(Path(path))


def _known(kind: str, installed: str) -> WorkflowType:
    row = WORKFLOW_TYPES.get(kind)
    if row is None:
        what, fix = f"unknown workflow type {kind!r}", f"use one of {', '.join(WORKFLOW_TYPES)}"
    elif why := row.missing(installed):
        what, fix = f"{PACKAGE} {installed} has nothing that runs workflow type {kind}: {why}", row.instead
    else:
        return row
    raise RunError(what, fix=fix, exit_code=Exit.WRONG_INPUT)


def _left_out(settings: dict[str, Any], error: BaseException) -> RunError:
    """A connector is not in the image; names what was missing first, which the package wraps."""
    first = error
    while first.__context__ is not None and type(first.__context__).__name__ in _NOT_THERE:
        first = first.__context__
    source = settings.get("source", {}).get("type")
    return RunError(
        f"the image lacks what {f'a source of type {source}' if source else 'the workflow'} needs: {first}",
        fix=f"add the connector's extra to {PACKAGE}[…] in the lock that images.openmetadata.build names, compile it "
        "again and deploy; or leave build out: the stock image has the connectors",
        exit_code=Exit.WRONG_INPUT,
    )


def _refused(where: str, what: str) -> RunError:
    return RunError(f"{where} {what}", fix="correct the workflow file and deploy again", exit_code=Exit.WRONG_INPUT)


if __name__ == "__main__":
    sys.exit(main())
