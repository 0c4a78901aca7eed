"""The Airflow stack: an environment that is created, or what an existing one needs."""
