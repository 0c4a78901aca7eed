"""Runs under Airflow: what the metadata-database helper makes of places, addresses and secrets."""

import importlib.util
import json
import sys
from pathlib import Path

answer, file, cases = sys.argv[1:]
spec = importlib.util.spec_from_file_location("metadata_database", file)
helper = importlib.util.module_from_spec(spec)
spec.loader.exec_module(helper)


class NotFoundError(Exception):
    """Secrets Manager's answer for a secret without a value."""


class Secrets:
    """Secrets Manager, with one secret."""

    class exceptions:
        ResourceNotFoundException = NotFoundError

    def __init__(self, text):
        self.text, self.written = text, []

    def get_secret_value(self, SecretId):
        if self.text is None:
            raise NotFoundError(SecretId)
        return {"ARN": f"arn:{SecretId}", **({"SecretString": self.text} if self.text else {})}

    def put_secret_value(self, SecretId, SecretString):
        self.written.append(json.loads(SecretString))
        return {"ARN": f"arn:{SecretId}"}


def tried(function, *arguments):
    """What a function returns, or the error that it raises."""
    try:
        return function(*arguments)
    except helper.NotReachableError as error:
        return {"error": str(error)}


cases = json.loads(cases)
parts = helper.describe(cases["addresses"][0])
written = []
for text in (None, "", "no JSON", json.dumps({**parts, "password": "old"}), json.dumps(parts)):
    client = Secrets(text)
    written.append([*helper.write(client, "name", parts), client.written])
found = {
    "states": [helper.state_of(value) for value in cases["values"]],
    "found": [tried(helper.find, places, iam) for places, iam in cases["places"]],
    "described": [tried(helper.describe, address) for address in cases["addresses"]],
    "written": written,
    "seen": [place for place, _ in helper.PLACES],
}
Path(answer).write_text(json.dumps(found))
