"""Runs under Airflow: many triggers of one process wait for the tasks of an ECS made of Python."""

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, sys.argv[2])
import penstock_trigger as module

answer = Path(sys.argv[1])
TASKS = 250


class Ecs:
    """A task stops at the look that its number says, `never` never, `unknown` is not known."""

    def __init__(self):
        self.described, self.stopped, self.refuse, self.looks = [], [], 3, {}

    def describe_tasks(self, cluster, tasks):
        self.described.append(len(tasks))
        if self.refuse:
            self.refuse -= 1
            raise ConnectionError("refused")
        return {"tasks": [self.look(arn) for arn in tasks if arn != "unknown"]}

    def look(self, arn):
        self.looks[arn] = self.looks.get(arn, 0) + 1
        stops = arn != "never" and self.looks[arn] > int(arn) % 5
        return {"taskArn": arn, "lastStatus": "STOPPED" if stops else "RUNNING"}

    def stop_task(self, cluster, task, reason):
        self.stopped.append([task, reason])
        if len(self.stopped) < 3:
            raise ConnectionError("refused")


async def fire(arn, deadline=None):
    arguments = ("eu-west-1", "acme", arn, deadline or time.time() + 60, "d", "r", "t", -1)
    classpath, kwargs = module.FargateTrigger(*arguments).serialize()
    # As Airflow makes it again from what it has stored.
    module_name, _, name = classpath.rpartition(".")
    trigger = getattr(sys.modules[module_name], name)(**json.loads(json.dumps(kwargs)))
    return (await anext(trigger.run())).payload


async def main():
    ecs = Ecs()
    module._client = lambda region: ecs
    module.POLL_SECONDS, module.SLOWEST_SECONDS, module.UNSEEN_LOOKS = 0.05, 0.2, 8
    fired = await asyncio.gather(*(fire(str(number)) for number in range(TASKS)), fire("unknown"))
    chunks = ecs.described[3:]
    late = await fire("never", time.time() + 0.2)
    waiting = asyncio.create_task(fire("never"))
    await asyncio.sleep(0.3)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    cancelled = list(ecs.stopped)
    poller = module.Poller.of("eu-west-1", "acme")
    await asyncio.sleep(0.3)
    ended = poller._work.done()
    again = await fire("0")
    await module.FargateTrigger("eu-west-1", "acme", "7", 0, "d", "r", "t", -1).on_kill()
    return {
        "fired": fired,
        "largest": max(chunks),
        "calls": len(chunks),
        "late": late,
        "cancelled": cancelled,
        "idle": ended,
        "again": again,
        "stopped": ecs.stopped,
    }


answer.write_text(json.dumps(asyncio.run(main())))
