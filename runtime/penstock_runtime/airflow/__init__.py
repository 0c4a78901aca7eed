"""The Airflow side of the runtime. It is in the bundle, beside the DAGs; Airflow imports it at every parse.

    dags       a shard of the plan → DAGs; the loader file in the bundle calls it
    operator   one Fargate task, from start to diagnosis
    request    what RunTask is asked for: pure data, no Airflow in it
    task_log   the container's log, line by line into Airflow's
    versions   where Airflow's and the Amazon provider's versions differ

Parsing touches no YAML, no network and no Airflow Variable; Airflow itself and the provider are imported
already.
"""
