"""Runs under Airflow: what the metadata-database helper makes of some addresses."""

import importlib.util
import json
import sys
from pathlib import Path

answer, file, addresses = sys.argv[1:]
spec = importlib.util.spec_from_file_location("metadata_database", file)
helper = importlib.util.module_from_spec(spec)
spec.loader.exec_module(helper)
found = []
for address, iam in json.loads(addresses):
    try:
        found.append(helper.describe(address, iam_credentials=iam))
    except helper.NotReachableError as error:
        found.append(str(error))
Path(answer).write_text(json.dumps(found))
