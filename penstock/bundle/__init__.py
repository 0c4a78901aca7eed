"""Plan → the files that Airflow and the containers read, and the revision of the source that they come from."""
