"""What runs in the cloud: the plan, the container's entry point, the engines, and the Airflow side.

The package travels as it is, without installation: as an archive into every container and as a folder beside the
DAGs. So it is standard library only, apart from `airflow/`, which runs where Airflow is, and from imports inside the
functions that need an engine's own package.

    plan, contract, errors   read by both sides: the desk that writes and the cloud that runs
    container, engines       inside a Fargate task
    airflow                  inside Airflow
"""
