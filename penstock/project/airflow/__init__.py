"""The Airflow of a project: created, existing or self-managed; its options, requirements, plugins and DAG files."""
