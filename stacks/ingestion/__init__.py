"""The ingestion stack: cluster, task definitions, roles, images, secrets."""
