"""Runs under Airflow: parse one DAG file as a worker does, for one DAG, or a whole folder, and write down the seconds.

python parse.py ANSWER FILE DAG_ID
python parse.py ANSWER FOLDER
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

answer, place, *one = sys.argv[1:]
dag_id = one[0] if one else None
if not one:
    # As the processor does before it forks, by the text of each file; what DAGs and tasks need of Airflow as well.
    from airflow import DAG
    from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

    EcsRunTaskOperator(task_id="first", cluster="", task_definition="", overrides={}, dag=DAG("first", schedule=None))
start, start_cpu = time.perf_counter(), time.process_time()
with _airflow_parsing_context_manager(dag_id=dag_id, task_id="catalogue" if one else None):
    bag = DagBag(dag_folder=place, include_examples=False, safe_mode=not one)
seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
assert dag_id is None or dag_id in bag.dags, bag.import_errors
Path(answer).write_text(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "dags": len(bag.dags)}))
