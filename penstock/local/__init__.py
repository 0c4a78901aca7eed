"""The embedded mode: the whole system on one machine, for trying, developing and testing.

    environments, images, docker   what is installed: locked virtual environments that stand for container images
    services                       the processes that are left running, how they start and how they all end
    aws, postgres, catalogue       three of these processes: embedded AWS, database, recording catalogue
    faults                         a proxy before the embedded AWS, by whose rules calls fail
    airflow, sync                  real Airflow, and the copy of the DAG bucket that MWAA would make
    deploy                         the real CDK CLI against the embedded AWS
    up, run, down                  the steps, in order; `penstock.cli` prints what they report

Nothing here knows a command; progress goes to a `Progress`, results are returned, errors are `PenstockError`s.
"""
