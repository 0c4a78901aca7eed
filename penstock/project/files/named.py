"""Paths that workflow files, commands and variables name, and that their container does not have.

What is certain is an error: a path of this machine (`./target/manifest.json`, `~/ca.pem`, a file of the project) in a
container whose image is known to hold nothing of the project. What is likely is a warning: an absolute path under a key
that holds the path of an input. In an image of the user's own anything may be: there nothing is said.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.project.document import files

INPUT_KEYS = frozenset(
    {"caCertificate", "sslCertificate", "sslKey", "sslCA", "sslCert", "rootCertificate", "certificatePath"}
    | {"certificateAuthorityPath", "clientCertificatePath", "clientkeyPath", "tlsCertPath", "tlsKeyPath", "keyfile"}
    | {"trustedCertsPath", "truststorePath", "trustStoreFilePath", "keyStoreFilePath", "privateKeyPath", "keytab"}
    | {"keytabPath", "kubeconfigPath", "rsaprivateKeyFilePath", "rsapublicKeyFilePath", "jdbcDriverClassPath"}
    | {"dbtManifestFilePath", "dbtCatalogFilePath", "dbtRunResultsFilePath", "dbtSourcesFilePath", "manifestFilePath"}
    | {"queryLogFilePath", "openAPISchemaFilePath", "metastoreFilePath", "localFilePath"}
)
"""Keys of OpenMetadata's configs whose value is the path of a file that is read. Source: the models in
openmetadata-ingestion 1.12.14.2, metadata/generated/schema; `keytab` and `certificatePath` are of older ones."""

INPUT_VARIABLES = frozenset(
    {"GOOGLE_APPLICATION_CREDENTIALS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"}
    | {"NODE_EXTRA_CA_CERTS", "KRB5_CONFIG", "KRB5_CLIENT_KTNAME", "KRB5_KTNAME", "PGSSLROOTCERT", "PGPASSFILE"}
    | {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "KUBECONFIG", "SNOWFLAKE_PRIVATE_KEY_PATH"}
)
"""Environment variables by which well-known libraries find a file that they read."""

_HERE = re.compile(r"\.{1,2}/|~(/|$)")
"""What only a path of a machine begins with."""
_OF_THE_SYSTEM = ("/etc/ssl/certs/", "/usr/", "/opt/", "/lib/", "/instantclient/", "/dev/", "/proc/")
"""Where an image has files of its own."""
_MAX_PATH = 1000


SERVER_CERTIFICATE = "/tmp/penstock/openmetadata-ca.pem"  # noqa: S108  the container's
"""Where a workflow's container has the certificate of `openmetadata.ca_certificate`: everybody may write there."""


def normal(path: str) -> str:
    """A path in the container, one way to write it: `./target/x` is `target/x`."""
    return posixpath.normpath(path)


@dataclass(frozen=True)
class Missing:
    """A path that no container has."""

    what: str
    fix: str
    certain: bool


def is_path(key: str, value: object) -> bool:
    """Whether a value is worth a look: by its key, or since it begins as a path does."""
    if not isinstance(value, str) or not 1 < len(value) <= _MAX_PATH or not value.isprintable() or "${" in value:
        return False
    if key in INPUT_KEYS or key in INPUT_VARIABLES:
        return "://" not in value and "-----BEGIN" not in value
    return value.startswith("/") or _HERE.match(value) is not None


def missing(
    key: str, value: str, given: Container[str], *, project: Path, image: str, near: Path | None = None
) -> Missing | None:
    """Why a container lacks what a value names; None: it has it, or may have it.

    Args:
        given: paths in the container that the task's files have.
        project: the project's folder.
        image: the container's, for the message; it is known to hold nothing of the project.
        near: a folder whose relative paths may be meant too: the workflow file's.
    """
    if normal(value) in given:
        return None
    source = _in_project(value, project, near)
    at = value if value.startswith("/") or value.startswith("./") else f"/tmp/{Path(value).name}"  # noqa: S108
    if source is not None:
        if value.startswith("/"):
            at = f"/tmp/{Path(value).name}"  # noqa: S108
        fix = f"give it to the task: files: {{{at}: {source}}}" + ("" if at == value else f", and write {at} here")
        return Missing(f"{key!r} names {value}, a file of this project: {image} does not hold it", fix, certain=True)
    if key not in INPUT_KEYS and key not in INPUT_VARIABLES:
        return None
    fix = f"did you mean files:? Give it to the task: files: {{{at}: <file of the project, or {{secret: NAME}}>}}"
    fix += "" if at == value else f", and write {at} here"
    if not value.startswith("/"):
        what = f"{key!r} names {value}, a path of this machine: {image} does not hold it"
        return Missing(what, fix, certain=True)
    if value.startswith(_OF_THE_SYSTEM):
        return None
    return Missing(f"{key!r} names {value}, which {image} does not hold as far as is known", fix, certain=False)


def in_command(command: str | list[str]) -> Iterator[str]:
    """The words of a command that may be paths; `load` has checked that it can be split."""
    try:
        words = shlex.split(command) if isinstance(command, str) else command
    except ValueError:
        return
    for word in words:
        # `--config=x`, `@x` as well.
        value = word.partition("=")[2] if word.startswith("-") and "=" in word else word
        if 1 < len(value) <= _MAX_PATH and value.isprintable() and "${" not in value and " " not in value:
            yield value


def _in_project(value: str, project: Path, near: Path | None) -> str | None:
    """The file of the project that a value names, relative to the project's folder; None: it names none."""
    for start in (project, *([near] if near is not None else [])):
        try:
            path = Path(value).expanduser() if value.startswith("~") else start / value
            resolved = path.resolve()
            if files.is_file(resolved) and resolved.is_relative_to(project.resolve()):
                return resolved.relative_to(project.resolve()).as_posix()
        except (OSError, RuntimeError, ValueError):
            continue
    return None
