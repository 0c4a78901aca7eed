"""What types cannot say about the KMS keys that secrets are encrypted with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.aws import arns
from penstock.problem import Problem
from penstock.project.secrets.references import parse, region_of
from penstock_runtime.errors import InputError

HERE = "secret_kms_keys"


def check_secret_keys(checks: Checks) -> Iterator[Problem]:
    """Each is a key's ARN, once, in a region where this environment has secrets."""
    keys, regions = checks.settings.secret_kms_keys, _regions(checks)
    for index, key in enumerate(keys):
        if not re.fullmatch(arns.KEY, key):
            what, fix = _no_key(key)
            yield Problem(what, fix, (HERE, index))
        elif key in keys[:index]:
            yield Problem(f"{key} is named twice", "remove one", (HERE, index))
        elif wrong := arns.wrong_partition(key, checks.settings.region):
            yield wrong.at(HERE, index)
        elif (region := arns.parts(key).region) not in regions:
            # A secret's key is in its region (AWS Secrets Manager User Guide, "Secret encryption and decryption").
            what = f"the key is in {region}, and the secrets are in {', '.join(sorted(regions))}"
            yield Problem(what, "name the key that encrypts the secrets of this environment", (HERE, index))


def _no_key(text: str) -> Problem:
    if re.match(r"(arn:aws[a-z-]*:kms:.*:)?alias/", text):
        what = f"{text[:90]!r} is an alias, which cannot be granted"
        return Problem(what, "write the ARN of its key: aws kms describe-key --key-id <alias> shows it")
    fix = "write arn:aws:kms:<region>:<account>:key/<id>: aws secretsmanager describe-secret shows a secret's key"
    return Problem(f"{text[:90]!r} is no ARN of a KMS key", fix)


def _regions(checks: Checks) -> set[str]:
    """Where the secrets are: the environment's region, and those of full ARNs."""
    settings = checks.settings
    found = {settings.region}
    for name, reference in settings.secrets.items():
        try:
            found.add(region_of(parse(name, reference, ""), settings.region))
        except InputError:
            continue  # reported where the secret is
    return found
