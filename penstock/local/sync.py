"""Copy the DAG prefix of the MWAA bucket to Airflow's DAG folder and keep it equal, as MWAA does.

It runs with the credentials of the MWAA execution role, so what that role may not read, Airflow does not get. MWAA
syncs about every 30 seconds, file by file (measured; AWS documents no interval); this looks every two seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions

SECONDS = 2.0


def sync(s3: Any, bucket: str, prefix: str, folder: Path, seen: dict[str, str]) -> int:
    """Bring `folder` up to date; returns how many files changed. `seen` remembers ETags between calls."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    etags = {item["Key"][len(prefix) :]: item["ETag"] for page in pages for item in page.get("Contents", [])}
    etags.pop("", None)
    changed = 0
    for path, etag in etags.items():
        if seen.get(path) == etag and (folder / path).exists():
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(s3.get_object(Bucket=bucket, Key=prefix + path)["Body"].read())
        part.replace(target)
        changed += 1
    for target in [file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts]:
        if target.relative_to(folder).as_posix() not in etags:
            target.unlink()
            changed += 1
    seen.clear()
    seen.update(etags)
    return changed


def main() -> int:
    """Sync until SIGTERM; the first round is announced, and a failure of it ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--prefix", required=True, help="with its trailing slash")
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    s3 = boto3.client("s3")
    seen: dict[str, str] = {}
    args.folder.mkdir(parents=True, exist_ok=True)
    print(f"first round: {sync(s3, args.bucket, args.prefix, args.folder, seen)} files", flush=True)
    while True:
        time.sleep(SECONDS)
        try:
            changed = sync(s3, args.bucket, args.prefix, args.folder, seen)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError) as error:
            print(f"will try again: {error}", flush=True)
            continue
        if changed:
            print(f"{changed} files changed", flush=True)


if __name__ == "__main__":
    sys.exit(main())
