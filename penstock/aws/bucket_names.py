"""The names of S3 buckets."""

from __future__ import annotations

import re

from penstock.problem import Problem

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_OTHER_KINDS = {
    "-s3alias": "an access point",
    "--ol-s3": "an Object Lambda access point",
    ".mrap": "a Multi-Region access point",
    "--x-s3": "a directory bucket",
    "--table-s3": "a table bucket",
}
"""The end of a name → what has such names."""


def wrong_name(name: str) -> Problem | None:
    """Why no general purpose bucket has that name, and the fix; None where one may.

    Source: Amazon S3 User Guide, "General purpose bucket naming rules". Not its younger rules on what a name may start
    with (`sthree-`, `amzn-s3-demo-`): a bucket may be older than they are.
    """
    fix = "write the bucket's name: lower case, digits, dots and dashes, 3 to 63 characters"
    for end, kind in _OTHER_KINDS.items():
        if name.endswith(end):
            return Problem(f"{name[:70]!r} ends in {end}: it is {kind}", "name a general purpose bucket")
    if not _NAME.fullmatch(name):
        return Problem(f"{name[:70]!r} is not the name of a bucket", fix)
    if ".." in name or _ADDRESS.fullmatch(name) or name.startswith("xn--"):
        return Problem(
            f"{name!r} is not the name of a bucket: none has two dots in a row, looks like an IP address, or starts "
            "in xn--",
            fix,
        )
    return None
