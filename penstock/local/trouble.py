"""Why a step has failed, where a service has died or a disk is full: that first, not what followed from it."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions
import psycopg

from penstock.local import cache, files, services
from penstock.local.instance import Instance, Process
from penstock_runtime.errors import InputError, PenstockError

_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded|ENOSPC|database or disk is full", re.IGNORECASE)
GRACE_SECONDS = 1.0
"""A process that is killed closes its connections a moment before it is gone."""


def dead(instance: Instance) -> list[Process]:
    """The services that should be up and are not, the first started first."""
    return [process for process in instance.processes.values() if not services.alive(process)]


def check(instance: Instance) -> None:
    """Look whether every service lives.

    Raises:
        PenstockError: one does not; says which, and where its log is.
    """
    if died := dead(instance):
        raise _died(instance, died)


@contextlib.contextmanager
def explained(instance: Instance) -> Iterator[None]:
    """Let an error of the block name its cause.

    Raises:
        PenstockError: instead of whatever a client of a service raises, and instead of an error of ours that is the
            consequence of a service's death or of a full disk.
    """
    try:
        yield
    except InputError:
        raise
    except (PenstockError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise _cause(instance, error) from error
    except (psycopg.Error, sqlite3.Error, OSError) as error:
        raise _cause(instance, error) from error


def _cause(instance: Instance, error: Exception) -> Exception:
    deadline = time.monotonic() + GRACE_SECONDS
    while not (died := dead(instance)) and time.monotonic() < deadline:
        time.sleep(0.05)
    if died:
        return _died(instance, died)
    if free := _full(instance, str(error)):
        return PenstockError(f"a disk is full: {_first_line(error)}", fix=f"free space; what is left: {free}")
    if isinstance(error, PenstockError):
        return error
    if isinstance(error, OSError):
        return files.refusal(error, instance.folder) if error.errno in files.TROUBLE else error
    service = "PostgreSQL" if isinstance(error, psycopg.Error) else "the recording catalogue's file"
    if isinstance(error, botocore.exceptions.BotoCoreError | botocore.exceptions.ClientError):
        service = "the embedded AWS"
    return PenstockError(
        f"{service} did not do what it was asked: {_first_line(error)}",
        fix=f"read the logs in {instance.log('aws').parent}",
    )


def _died(instance: Instance, died: list[Process]) -> PenstockError:
    first = died[0]
    what = f"{' and '.join(process.name for process in died)} ended, which nobody had asked for"
    tail = services.tail(first.log)
    if free := _full(instance, tail):
        return PenstockError(f"a disk is full: {what}", fix=f"free space, then run penstock up; what is left: {free}")
    return PenstockError(
        f"{what}; the end of its log:\n{tail}",
        fix=f"read {' and '.join(process.log for process in died)} (no error there: it was killed, by somebody or for "
        "want of memory), then run penstock up",
    )


def _full(instance: Instance, said: str) -> str:
    """What is left on our disks, if one of them is full, by itself or by what somebody said; else nothing.

    Who failed for want of room has often given it back by now, and a log on a full disk says nothing.
    """
    places = (instance.folder, cache.root(), Path(tempfile.gettempdir()))
    left = {place: files.free_mib(place) for place in places}
    if not _NO_SPACE.search(said) and all(left.values()):
        return ""
    return ", ".join(f"{mib} MiB in {place}" for place, mib in left.items())


def _first_line(error: Exception) -> str:
    text = error.what if isinstance(error, PenstockError) else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0]
