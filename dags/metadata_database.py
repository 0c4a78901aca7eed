"""Helper DAG: how OpenMetadata reaches the metadata database of this Airflow. Run it by hand.

On Airflow 2 it reports driver, host, port, database and user of the connection, in the log and as its
return value; the password is neither read out nor shown. On Airflow 3 tasks have no access to the database:
then it fails, and says how OpenMetadata catalogues this Airflow instead. The file works without Penstock, on
Airflow 2.10 and later.
"""

import logging
import os
from datetime import datetime, timezone

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task

REST_CONNECTION = """Let OpenMetadata (1.12 and later) read this Airflow through its REST API instead:
  connection:
    type: RestAPI
    authConfig: {mwaaConfig: {mwaaEnvironmentName: <name>, awsConfig: {awsRegion: <region>}}}"""


class NotReachableError(Exception):
    """The metadata database has no connection that OpenMetadata could use."""


def describe(connection, iam_credentials=False):
    """The parts of a SQLAlchemy address that OpenMetadata asks for; never its password.

    Raises:
        NotReachableError: tasks may not know the address, or its password is a token that lives for minutes.
    """
    from sqlalchemy.engine.url import make_url

    if connection.startswith("airflow-db-not-allowed:"):
        raise NotReachableError(f"Airflow 3 hides its metadata database from tasks.\n{REST_CONNECTION}")
    if iam_credentials:
        raise NotReachableError(
            "This Airflow opens its metadata database with IAM tokens of 15 minutes, which no role of yours "
            f"can make (USE_IAM_CREDENTIALS is set).\n{REST_CONNECTION}"
        )
    url = make_url(connection)
    port = url.port if url.port is not None else {"postgresql": 5432, "mysql": 3306}.get(url.get_backend_name())
    return {
        "driver": url.drivername,
        "host": url.host,
        "port": port,
        "database": url.database,
        "user": url.username,
    }


@task
def report():
    """Log and return what `describe` finds in this Airflow's configuration."""
    from airflow.configuration import conf

    parts = describe(
        conf.get("database", "sql_alchemy_conn"),
        iam_credentials=os.environ.get("USE_IAM_CREDENTIALS", "").lower() in ("true", "1"),
    )
    for name, value in parts.items():
        logging.getLogger(__name__).info("%s: %s", name, value)
    return parts


with DAG(
    "penstock_metadata_database",
    description="Report how OpenMetadata reaches this Airflow's metadata database.",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),  # noqa: UP017  older Pythons
    catchup=False,
    tags=["penstock"],
    doc_md=__doc__,
):
    report()
