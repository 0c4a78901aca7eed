"""What runs in the cloud: the plan, the container's entry point, the engines, and the Airflow side.

The package is never installed: it travels as an archive into every container and as a folder beside the DAGs. So it
uses the standard library only, apart from `airflow/`, which runs where Airflow is, and from imports inside the
functions that need an engine's own package.

    plan, contract, errors   read by both sides: the desk that writes and the cloud that runs
    container                inside a Fargate task: main program, engines, files, secrets in logs
    airflow                  inside Airflow: DAGs and operators
    release                  the bundle in the DAG bucket: which release is live, and the switch to another
    diagnosis                why a Fargate task stopped
    functions                Lambda functions that watch
    package                  which files of this package a part of it needs
"""
