"""Runs under Airflow: parse one DAG file as a worker does, for one DAG, and write down the seconds.

python parse.py ANSWER FILE DAG_ID
"""

import contextlib
import json
import sys
import time
from pathlib import Path

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before Airflow 3.2
    from airflow.models.dagbag import DagBag
try:
    from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager
except ImportError:  # Airflow 2
    from airflow.utils.dag_parsing_context import _airflow_parsing_context_manager
with contextlib.suppress(ImportError):  # Airflow 2
    import airflow.sdk.execution_time.task_runner  # noqa: F401  a worker has imported it already

answer, file, dag_id = sys.argv[1:]
start = time.perf_counter()
with _airflow_parsing_context_manager(dag_id=dag_id, task_id="catalogue"):
    bag = DagBag(dag_folder=file, include_examples=False, safe_mode=False)
seconds = time.perf_counter() - start
assert dag_id in bag.dags, bag.import_errors
Path(answer).write_text(json.dumps({"seconds": seconds, "dags": len(bag.dags)}))
