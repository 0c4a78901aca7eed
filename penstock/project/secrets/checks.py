"""What types cannot say about the KMS keys that secrets are encrypted with."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from penstock.aws import arns
from penstock.problem import Problem
from penstock.project.document.literals import references
from penstock.project.document.problems import nearest
from penstock.project.schema.names import VARIABLE_NAME_PATTERN
from penstock.project.secrets.references import parse, region_of
from penstock_runtime.errors import InputError

HERE = "secret_kms_keys"


def check_secret_keys(keys: Sequence[str], secrets: Mapping[str, str], region: str) -> Iterator[Problem]:
    """Each is a key's ARN, once, in a region where this environment has secrets."""
    regions = _regions(secrets, region)
    for index, key in enumerate(keys):
        if not re.fullmatch(arns.KEY, key):
            yield _no_key(key).at(HERE, index)
        elif key in keys[:index]:
            yield Problem(f"{key} is named twice", "remove one", (HERE, index))
        elif wrong := arns.wrong_partition(key, region):
            yield wrong.at(HERE, index)
        elif (own := arns.parts(key).region) not in regions:
            # A secret's key is in its region (AWS Secrets Manager User Guide, "Secret encryption and decryption").
            what = f"the key is in {own}, and the secrets are in {', '.join(sorted(regions))}"
            yield Problem(what, "name the key that encrypts the secrets of this environment", (HERE, index))


def _no_key(text: str) -> Problem:
    if re.match(r"(arn:aws[a-z-]*:kms:.*:)?alias/", text):
        what = f"{text[:90]!r} is an alias, which cannot be granted"
        return Problem(what, "write the ARN of its key: aws kms describe-key --key-id <alias> shows it")
    fix = "write arn:aws:kms:<region>:<account>:key/<id>: aws secretsmanager describe-secret shows a secret's key"
    return Problem(f"{text[:90]!r} is not the ARN of a KMS key", fix)


def _regions(secrets: Mapping[str, str], region: str) -> set[str]:
    """Where the secrets are: the environment's region, and those of full ARNs."""
    regions = {region}
    for name, reference in secrets.items():
        try:
            regions.add(region_of(parse(name, reference, ""), region))
        except InputError:
            continue  # reported where the secret is
    return regions


def check_names(secrets: Mapping[str, str], variables: Mapping[str, str], region: str) -> Iterator[Problem]:
    """Names that can be those of environment variables, each of one thing; references that can be read."""
    for kind, names in (("secrets", secrets), ("variables", variables)):
        for name in names:
            if not re.fullmatch(VARIABLE_NAME_PATTERN, name) or name.startswith("PENSTOCK_"):
                yield Problem(
                    f"{name[:60]!r} cannot be the name of an environment variable of a task",
                    "use letters, digits and _, and not the prefix PENSTOCK_",
                    (kind, name),
                    at_key=True,
                )
    for name in secrets.keys() & variables.keys():
        yield Problem(f"{name!r} is both a secret and a variable", "rename one", ("variables", name), at_key=True)
    for name, reference in secrets.items():
        try:
            secret = parse(name, reference, "")
        except InputError as error:
            yield Problem(error.what, error.fix, ("secrets", name))
            continue
        if secret.id.startswith("arn:") and (wrong := arns.wrong_partition(secret.id, region)):
            yield wrong.at("secrets", name)
    for name, value in variables.items():
        if references(value):
            what = f"variable {name!r} names another; variables are not filled in"
            yield Problem(what, "write the value out", ("variables", name))


def unknown_secret(name: str, secrets: Collection[str], *path: str | int) -> Iterator[Problem]:
    """A name that must be a secret's."""
    if name not in secrets:
        yield Problem(f"there is no secret {name[:60]!r}", nearest(name, secrets, kind="secret"), path)


def unknown_name(name: str, names: Collection[str], *path: str | int) -> Iterator[Problem]:
    """A name that must be a secret's or a variable's."""
    if name not in names:
        kind = "secret or variable"
        yield Problem(f"there is no {kind} {name[:60]!r}", nearest(name, names, kind=kind), path)
