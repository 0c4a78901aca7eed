"""Runs under Airflow: parse a DAG folder as Airflow does, and write down what came of it."""

import builtins
import json
import sys
import warnings
from pathlib import Path

import airflow.providers.amazon.aws.operators.ecs  # noqa: F401  pre-imported before the fork, as Airflow does

try:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization
except ImportError:  # before Airflow 3.2
    from airflow.models.dagbag import DagBag
    from airflow.serialization.serialized_objects import SerializedDAG as DagSerialization

answer, folder = sys.argv[1:]
imported = set()
plain_import = builtins.__import__


def watched_import(name, globals=None, *rest, **named):  # noqa: A002
    """Note what our own modules import."""
    importer = (globals or {}).get("__name__", "")
    if importer.startswith("penstock_runtime") and not (rest and rest[-1] > 0):
        imported.add(name.partition(".")[0])
    return plain_import(name, globals, *rest, **named)


builtins.__import__ = watched_import
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    bag = DagBag(folder)
builtins.__import__ = plain_import

FACTS = "owner retries email email_on_failure email_on_retry template_fields"


def describe(dag):
    """What matters of a DAG, as plain data; and that Airflow can store it."""
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    return {
        "summary": stored.timetable.summary,
        "timetable": type(stored.timetable).__name__,
        "timezone": str(getattr(stored.timetable, "_timezone", None)),
        "start_date": dag.start_date.isoformat(),
        "catchup": dag.catchup,
        "paused": dag.is_paused_upon_creation,
        "max_active_runs": dag.max_active_runs,
        "tags": sorted(dag.tags),
        "description": dag.description,
        "doc_md": dag.doc_md,
        "fileloc": dag.fileloc,
        "tasks": {
            task.task_id: {
                "after": sorted(task.upstream_task_ids),
                "kind": type(task).__name__,
                "retry_delay_minutes": task.retry_delay.total_seconds() / 60,
                "execution_timeout_minutes": task.execution_timeout and task.execution_timeout.total_seconds() / 60,
                **{name: getattr(task, name) for name in FACTS.split() if hasattr(task, name)},
            }
            for task in dag.topological_sort()
        },
    }


Path(answer).write_text(
    json.dumps(
        {
            "import_errors": bag.import_errors,
            "dags": {dag_id: describe(dag) for dag_id, dag in bag.dags.items()},
            "imported_by_ours": sorted(imported),
            "ours": sorted(name for name in sys.modules if name.partition(".")[0] == "penstock_runtime"),
            # A warning of Airflow 3.3 itself about a newer pathspec does not count.
            "warnings": [
                f"{one.category.__name__}: {one.message}"
                for one in caught
                if not str(one.message).startswith("GitWildMatchPattern")
            ],
        }
    )
)
