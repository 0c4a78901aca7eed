"""What Amazon MWAA takes: sizes by class, limits, and which change of an environment is possible in place.

Plain data and pure functions; the checks of a project, the embedded AWS and whatever compares a plan with what is
deployed read it. Sources: the MWAA user guide (UG), the service's API model in botocore 1.44 (API), the images that
MWAA runs, github.com/aws/amazon-mwaa-docker-images (IMAGE). Looked at on the date in `project.versions.CHECKED`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock.versions.number import parse

MICRO = "mw1.micro"


@dataclass(frozen=True)
class Range:
    """How many there may be; both ends count."""

    least: int
    most: int

    def __contains__(self, count: object) -> bool:
        return isinstance(count, int) and self.least <= count <= self.most

    def __str__(self) -> str:
        return f"exactly {self.least}" if self.least == self.most else f"{self.least} to {self.most}"


@dataclass(frozen=True)
class EnvironmentClass:
    """One size of MWAA environments."""

    dags: int
    """DAGs that it is made for. More still run, slower. UG, "Environment capabilities"."""
    workers: Range
    schedulers: Range
    """API, `Schedulers`: 2 to 5 on Airflow 2 and later, 1 on mw1.micro."""
    web_servers: Range
    """API, `MinWebservers`: 2 to 5; mw1.micro is refused with "The web server count … must be 1"."""

    def counts(self, noun: str, least: int | None, most: int | None) -> tuple[int, int]:
        """How many `worker`s or `web server`s at least and at most, where one or both of the two are not said."""
        allowed = self.workers if noun == "worker" else self.web_servers
        if least is None:
            least = allowed.least if most is None else min(allowed.least, most)
        if most is None:
            usual = min(2, allowed.most) if noun == "worker" else allowed.least
            most = max(usual, least)
        return least, most


WORKERS_QUOTA = 25
"""Workers of one environment, unless the account has a higher quota."""
MOST_WORKERS = 50
"""With the highest quota. UG, FAQ, "Can I specify more than 25 Apache Airflow workers?"."""

_SINGLE, _SEVERAL = Range(1, 1), Range(2, 5)
CLASSES: dict[str, EnvironmentClass] = {
    MICRO: EnvironmentClass(25, _SINGLE, _SINGLE, _SINGLE),
    "mw1.small": EnvironmentClass(50, Range(1, MOST_WORKERS), _SEVERAL, _SEVERAL),
    "mw1.medium": EnvironmentClass(250, Range(1, MOST_WORKERS), _SEVERAL, _SEVERAL),
    "mw1.large": EnvironmentClass(1000, Range(1, MOST_WORKERS), _SEVERAL, _SEVERAL),
    "mw1.xlarge": EnvironmentClass(2000, Range(1, MOST_WORKERS), _SEVERAL, _SEVERAL),
    "mw1.2xlarge": EnvironmentClass(4000, Range(1, MOST_WORKERS), _SEVERAL, _SEVERAL),
}
"""UG, "Configuring the Amazon MWAA environment class"."""

PUBLIC_AND_PRIVATE_SINCE = (3, 2)
"""API, `WebserverAccessMode`: both at once "only available for Apache Airflow version 3.2 and later"."""

MAX_OPTION_KEY = 64
MAX_OPTION_VALUE = 65536
OPTION_KEY = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
"""API, `AirflowConfigurationOptions`: keys of at most 64 characters, values of 1 to 65536, printable ASCII. The section
and the dot are Airflow's."""

FIXED_OPTIONS: dict[str, str | None] = {
    "api.base_url": None,
    "api.secret_key": None,
    "api_auth.jwt_algorithm": "HS256",
    "api_auth.jwt_secret": None,
    "celery.broker_url": None,
    "celery.celery_config_options": None,
    "celery.result_backend": None,
    "celery.worker_enable_remote_control": "False",
    "celery_broker_transport_options.visibility_timeout": "43200",
    "core.auth_manager": None,
    "core.database_access_isolation": None,
    "core.execution_api_server_url": None,
    "core.executor": "CeleryExecutor",
    "core.fernet_key": None,
    "core.load_examples": "False",
    "core.multi_team": "False",
    "core.sql_alchemy_conn": None,
    "database.sql_alchemy_conn": None,
    "execution_api.jwt_expiration_time": "86400",
    "fab.config_file": None,
    "logging.colored_console_log": "False",
    "logging.logging_config_class": None,
    "metrics.statsd_host": "localhost",
    "metrics.statsd_port": "8125",
    "metrics.statsd_prefix": "airflow",
    "operators.default_queue": None,
    "scheduler.standalone_dag_processor": "True",
    "triggerer.queues_enabled": "False",
    "webserver.base_url": None,
    "webserver.config_file": None,
    "webserver.cookie_secure": "True",
    "webserver.secret_key": None,
}
"""Options that MWAA sets itself, over whatever a user gives, and to what; None: something of the environment's own. Its
API takes them: what it refuses, if anything, no document says. IMAGE, `mwaa/config/airflow.py` ("essential") and
`setup_environment.py` ("protected"), 2.10.3 to 3.3.1, looked at on 2026-11-30."""
OPEN_METRICS = frozenset({"metrics.statsd_on", "metrics.metrics_allow_list", "metrics.metrics_block_list"})
"""The only options of `metrics` that do something: MWAA gives Airflow the defaults of all others. IMAGE, as above."""

MAINTENANCE_WINDOW = re.compile(r"(MON|TUE|WED|THU|FRI|SAT|SUN):([01][0-9]|2[0-3]):(00|30)")
"""API, `WeeklyMaintenanceWindowStart`."""


PLUGINS_FOLDER = "/usr/local/airflow/plugins"
"""Where MWAA unpacks plugins.zip. UG, "Installing custom plugins"."""
AIRFLOW_FOLDER = "/usr/local/airflow/"

MAX_REST_PATH = 64
"""Characters of the path of a call of InvokeRestApi. API, `RestApiPath`."""

STEPPING_STONE = (2, 11)
"""The release line of Airflow 2 from which 3 can be reached, and the other way round."""


def version_problem(old: str, new: str) -> str | None:
    """Why an environment of Airflow `old` cannot become one of `new` in place; None: it can, or one is not a version.

    UG, "Changing the Apache Airflow version": up and down within a major version; between majors only from and to 2.11,
    in both directions; anything else needs a new environment.
    """
    before, after = parse(old), parse(new)
    if before is None or after is None or before[0] == after[0] or STEPPING_STONE in (before[:2], after[:2]):
        return None
    return f"an environment of Airflow {old} cannot change to {new} in place: between 2 and 3 the way leads over 2.11"
