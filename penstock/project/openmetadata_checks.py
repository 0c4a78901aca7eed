"""What types cannot say about the OpenMetadata server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.project import versions
from penstock.project.literals import references

if TYPE_CHECKING:
    from penstock.project.checks import Checks

HERE = "openmetadata"


def check_openmetadata(checks: Checks) -> None:
    """The server's version, and how to sign in to it."""
    settings = checks.settings.openmetadata
    if settings is None:
        return
    if not versions.has_three_parts(settings.version):
        fix = "write the server's version, such as 1.12.14"
        checks.add(f"OpenMetadata version {settings.version[:20]!r} has not three parts", fix, HERE, "version")
    if settings.auth is not None:
        path = (HERE, "auth", "jwt_token")
        names = references(settings.auth.jwt_token)
        if len(names) != 1 or settings.auth.jwt_token != f"${{{names[0]}}}":
            checks.add("jwt_token is no ${NAME} of a secret", "put the token into secrets and write ${NAME}", *path)
        else:
            checks.known(names[0], *path, only_secrets=True)
