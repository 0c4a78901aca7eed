"""What must hold between two nouns: memory and workflows, images and engines, environments and one Airflow."""
