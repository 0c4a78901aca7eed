"""What runs a task of a schedule in Airflow: one module per operator."""
