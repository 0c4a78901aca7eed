"""The Airflow side of the runtime. It is in the bundle, beside the DAGs; Airflow imports it at every parse.

    dags        a shard of the plan → DAGs; the loader file in the bundle calls it
    operators   what runs a task: one module per operator, and `pick`, which chooses by the task's `operator`
    versions    where Airflow's and the Amazon provider's versions differ

Parsing touches no YAML, no network and no Airflow Variable; Airflow itself and the provider are already imported.
"""
