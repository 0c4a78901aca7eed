"""A stand-in for ECS and CloudWatch Logs over HTTP, on 127.0.0.1, that counts what it is asked: the same for each peer.

A task's id says when it stops; one that RunTask starts has stopped already. Reads of logs find one line.
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
_LINE = {"timestamp": 1_700_000_000_000, "ingestionTime": 1_700_000_000_000, "message": '{"_aws": {"Timestamp": 1}}'}


def arn(name: str, stops_at: float) -> str:
    """The ARN of a task that stops at a moment, in seconds since 1970: its own id says so."""
    return f"{ARN}{name}_{stops_at:.3f}"


def answer(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """The body of an answer."""
    if operation == "RunTask":
        return {"tasks": [_task(arn("run", 0.0))], "failures": []}
    if operation == "DescribeTasks":
        return {"tasks": [_task(one) for one in given["tasks"]], "failures": []}
    if operation == "ListTasks":
        return {"taskArns": []}
    if operation == "GetLogEvents":
        seen = given.get("nextToken") == "f/1"
        return {"events": [] if seen else [_LINE], "nextForwardToken": "f/1", "nextBackwardToken": "b/0"}
    return {}


def _task(name: str) -> dict[str, Any]:
    stopped = time.time() >= float(name.rpartition("_")[2])
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


def _serve(pipe: Connection) -> None:
    asyncio.run(_loop(pipe))


async def _loop(pipe: Connection) -> None:
    seen: Counter[str] = Counter()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                given = json.loads(await reader.readexactly(int(headers["content-length"])))
                operation = headers["x-amz-target"].rpartition(".")[2]
                seen[operation] += 1
                body = json.dumps(answer(operation, given)).encode()
                start = ("HTTP/1.1 200 OK", "Content-Type: application/x-amz-json-1.1", f"Content-Length: {len(body)}")
                writer.write("\r\n".join((*start, "", "")).encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def tell() -> None:
        pipe.recv()
        pipe.send(dict(seen))
        seen.clear()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=2000)
    asyncio.get_running_loop().add_reader(pipe.fileno(), tell)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
