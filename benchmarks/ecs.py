"""A stand-in for ECS and CloudWatch Logs over HTTP, on 127.0.0.1, that counts what it is asked: the same for each peer.

A task's id says how long after `release` it stops; one that RunTask starts has stopped already. Reads of logs find one
line.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ARN = "arn:aws:ecs:eu-west-1:111122223333:task/bench-dev/"
_LINE = {
    "timestamp": 1_700_000_000_000,
    "ingestionTime": 1_700_000_000_000,
    "message": '{"_aws": {"Timestamp": 1}, "ExitCode": 0, "EndedBy": "engine"}',
}


def arn(name: str, seconds: float) -> str:
    """The ARN of a task that stops so many seconds after `release`; with 0, it has stopped from the start."""
    return f"{ARN}{name}_{seconds:.3f}"


def answer(operation: str, given: dict[str, Any], released: float | None) -> dict[str, Any]:
    """The body of an answer."""
    if operation == "RunTask":
        return {"tasks": [_task(arn("run", 0.0), released)], "failures": []}
    if operation == "DescribeTasks":
        return {"tasks": [_task(one, released) for one in given["tasks"]], "failures": []}
    if operation == "ListTasks":
        return {"taskArns": []}
    if operation == "GetLogEvents":
        seen = given.get("nextToken") == "f/1"
        return {"events": [] if seen else [_LINE], "nextForwardToken": "f/1", "nextBackwardToken": "b/0"}
    return {}


def _task(name: str, released: float | None) -> dict[str, Any]:
    seconds = float(name.rpartition("_")[2])
    stopped = not seconds or (released is not None and time.time() >= released + seconds)
    status = "STOPPED" if stopped else "RUNNING"
    container = {"name": "main", "lastStatus": status} | ({"exitCode": 0} if stopped else {})
    return {
        "taskArn": name,
        "lastStatus": status,
        "desiredStatus": status,
        "startedAt": 1_700_000_000,
        "containers": [container],
    }


def environ(address: str, home: Path) -> dict[str, str]:
    """The environment of an Airflow process that calls it."""
    return {
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


@contextmanager
def serving() -> Iterator[tuple[str, Connection]]:
    """Serve it in a process of its own; its address, and the pipe for `counts`."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}", ours
    finally:
        process.terminate()
        process.join()


def counts(pipe: Connection) -> Counter[str]:
    """Calls by operation since the last look."""
    pipe.send("counts")
    return Counter(pipe.recv())


def seen(pipe: Connection) -> int:
    """How many tasks DescribeTasks has been asked for since the last release."""
    pipe.send("seen")
    return int(pipe.recv())


def release(pipe: Connection) -> float:
    """Let the tasks stop, each after its own time; when that was, in seconds since 1970."""
    pipe.send("release")
    return float(pipe.recv())


def _serve(pipe: Connection) -> None:
    asyncio.run(_loop(pipe))


async def _loop(pipe: Connection) -> None:
    calls: Counter[str] = Counter()
    asked_for: set[str] = set()
    released: float | None = None

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                given = json.loads(await reader.readexactly(int(headers["content-length"])))
                operation = headers["x-amz-target"].rpartition(".")[2]
                calls[operation] += 1
                if operation == "DescribeTasks":
                    asked_for.update(given["tasks"])
                body = json.dumps(answer(operation, given, released)).encode()
                start = ("HTTP/1.1 200 OK", "Content-Type: application/x-amz-json-1.1", f"Content-Length: {len(body)}")
                writer.write("\r\n".join((*start, "", "")).encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def tell() -> None:
        nonlocal released
        order = pipe.recv()
        if order == "counts":
            # Tasks of another round do not run yet.
            released = None
            pipe.send(dict(calls))
            calls.clear()
        elif order == "seen":
            pipe.send(len(asked_for))
        else:
            released = time.time()
            asked_for.clear()
            pipe.send(released)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=2000)
    asyncio.get_running_loop().add_reader(pipe.fileno(), tell)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
