"""A DAG file of the user's own."""
