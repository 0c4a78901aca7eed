"""Helper DAG: where the metadata database of this Airflow is, for OpenMetadata to read it from outside.

On Airflow 2 it finds the connection as tasks see it, and writes host, port, database, user and password to one secret
of AWS Secrets Manager, if they have changed. The log shows the host and nothing else of it, and the return value is
the secret's ARN. On Airflow 3 tasks have no access to the database: then it fails, and says how OpenMetadata
catalogues this Airflow instead. The file works without Penstock, on Airflow 2.10 and later: name the secret in SECRET.
"""

import json
import logging
import os
from datetime import datetime, timezone

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task

SECRET = ""
"""Name or ARN of the secret, which exists. Empty: the database is looked for, and nothing is written."""
DAG_ID = ""
CRON = ""
"""When it runs; empty: by hand."""

log = logging.getLogger(__name__)

REST_CONNECTION = """Let OpenMetadata (1.12 and later) read this Airflow through its REST API instead:
  connection:
    type: RestAPI
    authConfig: {mwaaConfig: {mwaaEnvironmentName: <name>, awsConfig: {awsRegion: <region>}}}
With Penstock: `catalogue: true` below `airflow`, and no `way`."""

OPTION = "sql_alchemy_conn"
PLACES = (
    ("section database of Airflow's configuration", "database"),
    ("section core of Airflow's configuration", "core"),
    ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", None),
    ("AIRFLOW__CORE__SQL_ALCHEMY_CONN", None),
)
"""Where Airflow 2 keeps the connection; the section `core` is that of Airflow before 2.3."""
MASKS = ("< hidden >", "***")
"""What Airflow shows in the place of a value that is secret."""


class NotReachableError(Exception):
    """The metadata database has no connection that OpenMetadata could use."""


def state_of(value):
    """What a place holds: `missing`, `empty`, `masked`, `hidden` (Airflow 3) or `usable`."""
    if value is None:
        return "missing"
    if not value.strip():
        return "empty"
    if value.startswith("airflow-db-not-allowed:"):
        return "hidden"
    # Masked as a whole, or in the place of the password only.
    if value.strip() in MASKS or any(f":{mask}@" in value for mask in MASKS):
        return "masked"
    return "usable"


def find(values, iam_credentials=False):
    """The first usable connection.

    Args:
        values: place → what it holds; None: nothing.
        iam_credentials: whether Airflow opens its database with IAM tokens.

    Raises:
        NotReachableError: none is usable; says what each place holds, and no value.
    """
    states = {place: state_of(value) for place, value in values.items()}
    if "hidden" in states.values():
        raise NotReachableError(f"Airflow 3 hides its metadata database from tasks.\n{REST_CONNECTION}")
    if iam_credentials:
        raise NotReachableError(
            "This Airflow opens its metadata database with IAM tokens of 15 minutes, which no role of yours "
            f"can make (USE_IAM_CREDENTIALS is set).\n{REST_CONNECTION}"
        )
    for place, state in states.items():
        if state == "usable":
            return values[place]
    listed = "; ".join(f"{place}: {state}" for place, state in states.items())
    raise NotReachableError(f"No connection to the metadata database can be read ({listed}).\n{REST_CONNECTION}")


def describe(connection):
    """The parts of a SQLAlchemy address that OpenMetadata asks for, the password among them.

    Raises:
        NotReachableError: it is not the address of a PostgreSQL server, with user and password; does not show it.
    """
    from sqlalchemy.engine.url import make_url

    try:
        url = make_url(connection)
        port = url.port
    except Exception:  # noqa: BLE001  its message holds the address
        url = None
    if url is None:
        raise NotReachableError("What stands for the connection is not a SQLAlchemy address.")
    if url.get_backend_name() != "postgresql":
        raise NotReachableError(f"The metadata database is {url.get_backend_name()}; this helper knows PostgreSQL.")
    parts = {
        "host": url.host,
        "port": str(port if port is not None else 5432),
        "database": url.database,
        "user": url.username,
        "password": url.password,
    }
    missing = [name for name, value in parts.items() if not value]
    if missing:
        raise NotReachableError(f"The connection has no {', '.join(missing)}.\n{REST_CONNECTION}")
    return parts


def write(client, secret, parts):
    """Put the parts into the secret, if they are not there yet; returns its ARN, and whether it has changed.

    Args:
        client: boto3's, of Secrets Manager.
    """
    text = json.dumps(parts, sort_keys=True)
    try:
        found = client.get_secret_value(SecretId=secret)
        if json.loads(found["SecretString"]) == parts:
            return found["ARN"], False
    except client.exceptions.ResourceNotFoundException:
        pass  # without a first value
    except (KeyError, ValueError):
        pass  # of another kind: replaced
    return client.put_secret_value(SecretId=secret, SecretString=text)["ARN"], True


def mask(password):
    """Have Airflow mask the password in the task's log, whatever writes it."""
    try:
        from airflow.utils.log.secrets_masker import mask_secret
    except ImportError:
        return
    mask_secret(password)


@task
def find_database():
    """Find the connection, write it to the secret, and return the secret's ARN."""
    from airflow.configuration import conf

    values = {
        place: os.environ.get(place) if section is None else conf.get(section, OPTION, fallback=None)
        for place, section in PLACES
    }
    iam_credentials = os.environ.get("USE_IAM_CREDENTIALS", "").lower() in ("true", "1")
    parts = describe(find(values, iam_credentials=iam_credentials))
    mask(parts["password"])
    log.info("host: %s", parts["host"])
    if not SECRET:
        log.info("nothing is written: SECRET in this file is empty")
        return None
    import boto3

    # On level DEBUG botocore logs what it sends.
    logging.getLogger("botocore").setLevel(logging.INFO)
    arn, changed = write(boto3.client("secretsmanager"), SECRET, parts)
    log.info("the secret is %s", "written" if changed else "up to date")
    return arn


with DAG(
    DAG_ID or "penstock_metadata_database",
    description="Find this Airflow's metadata database, for OpenMetadata to read it.",
    schedule=CRON or None,
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),  # noqa: UP017  older Pythons
    catchup=False,
    tags=["penstock"],
    doc_md=__doc__,
):
    find_database()
