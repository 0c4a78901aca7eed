"""python -m penstock.local.aws --state DIR --port N --images DIR --region R: the embedded AWS, in the foreground.

Ends on SIGTERM or SIGINT. Exit code 0, or 1 with the reason when it cannot start.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from penstock.local.aws import tls
from penstock.local.aws.endpoint import ROOT_FILE, STATE_FILE, TASKS_FILE, Endpoint
from penstock_runtime.errors import PenstockError

SERVICES = (
    "airflow", "cloudformation", "ec2", "ecr", "ecs", "events", "iam", "kms", "lambda", "logs", "monitoring", "s3",
    "secretsmanager", "sns", "sqs", "ssm", "states", "sts", "tagging",
)  # fmt: skip
"""What may be called; another service is refused, and so opens no port of its own."""


OWN_FOLDERS = {"STATE_DIR": "ministack", "S3_DATA_DIR": "ministack-s3", "TMPDIR": "tmp"}
"""Environment variable → folder below the state: where ministack keeps keys, data and functions' code. By default all
of that has fixed names in the temporary folder, which other users of the machine can make first, link and read."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m penstock.local.aws", description="The embedded AWS.")
    parser.add_argument("--state", type=Path, required=True, help="folder for certificates, keys and tasks")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--images", type=Path, required=True, help="folder of image manifests")
    parser.add_argument("--region", required=True)
    parser.add_argument("--account", default="123456789012")
    arguments = parser.parse_args()
    state: Path = arguments.state.absolute()
    try:
        _port_is_free(arguments.port)
        os.umask(0o077)
        state.mkdir(parents=True, exist_ok=True)
        for name in (STATE_FILE, TASKS_FILE):
            (state / name).unlink(missing_ok=True)
        for name in ("tasks", *OWN_FOLDERS.values()):
            shutil.rmtree(state / name, ignore_errors=True)
        certificate = tls.make(state)
        endpoint = Endpoint(state, arguments.port, certificate.ca, arguments.account, arguments.region)
        _configure(endpoint, certificate)

        from penstock.local.aws import server  # ministack reads its environment at import

        server.run(endpoint, certificate, arguments.images.absolute())
    except (PenstockError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _port_is_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PenstockError(f"port {port} on 127.0.0.1 is taken", fix="choose another --port") from error


def _configure(endpoint: Endpoint, certificate: tls.Certificate) -> None:
    """Make the root key, and the environment that ministack runs in."""
    for name in [one for one in os.environ if one.startswith(("AWS_", "MINISTACK_", "LOCALSTACK_"))]:
        del os.environ[name]
    root = {
        "access_key_id": "AKIA" + secrets.token_hex(8).upper(),
        "secret_access_key": secrets.token_urlsafe(30),
    }
    file = endpoint.state / ROOT_FILE
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(root))
    for name, folder in OWN_FOLDERS.items():
        (endpoint.state / folder).mkdir(mode=0o700)
        os.environ[name] = str(endpoint.state / folder)
    tempfile.tempdir = None  # look at TMPDIR again
    os.environ.update(
        AWS_ACCESS_KEY_ID=root["access_key_id"],
        AWS_SECRET_ACCESS_KEY=root["secret_access_key"],
        AUTH="true",
        USE_SSL="1",
        MINISTACK_SSL_CERT=str(certificate.certificate),
        MINISTACK_SSL_KEY=str(certificate.key),
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_ACCOUNT_ID=endpoint.account,
        MINISTACK_REGION=endpoint.region,
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(endpoint.port),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PERSIST_STATE="0",
        SERVICES=",".join(SERVICES),
        LOG_LEVEL=os.environ.get("LOG_LEVEL", "WARNING"),
        DOCKER_HOST="unix:///nonexistent/penstock-runs-no-docker",
    )


if __name__ == "__main__":
    sys.exit(main())
