"""Loader of one shard of a project's schedules. The bundle holds copies of it, with the two names filled in.

What it loads is written beside it, in a folder that no other release shares:

    resources.json                        names and ids that the deploy made
    release/<RELEASE>/shards/<SHARD>.json the schedules
    release/<RELEASE>/penstock_runtime/   the code that builds DAGs of them

Airflow imports the `airflow.*` names of this text once, before it forks a process per file; so they are
named here.
"""

import sys
from pathlib import Path

from airflow import DAG  # noqa: F401
from airflow.providers.amazon.aws.links.logs import CloudWatchEventsLink  # noqa: F401
from airflow.timetables.trigger import CronTriggerTimetable  # noqa: F401

RELEASE = ""
SHARD = ""

release = Path(__file__).absolute().parent / "release" / RELEASE
sys.path.insert(0, str(release))
# One process may parse several projects (`airflow dags list`); each gets the runtime of its own release.
for name in [name for name in sys.modules if name.partition(".")[0] == "penstock_runtime"]:
    if not str(sys.modules[name].__file__).startswith(str(release)):
        del sys.modules[name]

from penstock_runtime.airflow.dags import load_schedules  # noqa: E402

globals().update(load_schedules(release, SHARD))
