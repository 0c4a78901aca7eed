"""Why Fargate tasks stop once they have started, as tables that `diagnose` reads; and the list of all reasons.

`start_reasons` has those of tasks that do not start, `reason` the sources.
"""

from __future__ import annotations

from penstock_runtime.contract import REAPER_REASON, Exit
from penstock_runtime.diagnosis.reason import Reason
from penstock_runtime.diagnosis.start_reasons import NOT_STARTED, STARTS

OUT_OF_MEMORY = Reason(
    "OutOfMemory",
    "the container needed more memory than it has",
    "raise memory_mib of the task in penstock.yaml",
)
OUT_OF_MEMORY_WORDS = ("*OutOfMemory*", "*killed due to memory usage*")
"""In the container's reason; the task's says only that the container exited."""

SPOT = Reason(
    "Spot",
    "AWS took the Spot capacity back",
    "try again; set spot: false for a task that must not be interrupted",
    transient=True,
)
STOPS: dict[Reason, tuple[str, ...]] = {
    SPOT: ("SpotInterruption",),
    Reason(
        "HostLost", "AWS replaced or lost the host under the task", "try again", transient=True
    ): ("TerminationNotice", "InfrastructureHealth"),
}  # fmt: skip
"""The reason and its stop codes."""

STOPPED_BY_AIRFLOW = Reason(
    "StoppedByAirflow",
    "Airflow stopped the task: it reached its time limit, or somebody marked it or its run",
    "raise timeout_minutes of the task if it needs longer (Airflow stops it 15 minutes after that); otherwise run it "
    "again",
)
"""If no runtime in the container keeps the time limit."""
KILLED = "Penstock: Airflow ended this try of its task"
"""The operator's reason for StopTask: the task or its run was marked or cleared, or Airflow's worker was stopped."""
SUPERSEDED = "Penstock: the Airflow task was cleared, and runs anew"
"""The same, where a try stops what an earlier one has left."""
AT_DEADLINE = "Penstock: still running at its deadline"
"""The same, where the task outlives `PENSTOCK_DEADLINE`."""
ON_KILL_WORDS = (KILLED, SUPERSEDED, "Task killed by the user")
"""Airflow's reasons; the last one is that of the amazon provider's operator (`EcsRunTaskOperator.on_kill`)."""

DEADLINE = Reason(
    "Deadline",
    "the task still ran 15 minutes after its time limit, and Airflow stopped it",
    "raise timeout_minutes of the task if it needs longer; otherwise find in its log what it waited for",
)

STOPPED_BY_REAPER = Reason(
    "StoppedByReaper",
    "Penstock's reaper stopped the task: it still ran after its deadline, and nothing of Airflow had stopped it",
    "the Airflow run was lost, with its worker or the whole environment; clear the Airflow task to run it again",
)
REAPER_WORDS = (f"{REAPER_REASON}*",)
"""See `functions.reaper`."""

STOPPED_BY_SOMEBODY = Reason(
    "StoppedBySomebody",
    "somebody stopped the task, or Airflow did: on request, or because the Airflow task reached its own time limit",
    "run it again if that was a mistake",
)

_ARTIFACT_FIX = (
    "read the line `penstock:` in the task's log: it says which; deploy or push again if a file is missing or not the "
    "expected one, check the subnets' way to S3 and the task role if it cannot be fetched"
)

FAILED = Reason("Failed", "the engine or the command ran and reported a failure", "read the end of the task's log")

OWN_EXITS: dict[int, Reason] = {
    Exit.FAILED: FAILED,
    Exit.WRONG_INPUT: Reason(
        "WrongInput",
        "the container refused its environment or its config",
        "read the line `penstock:` in the task's log; correct the file that it names and deploy again",
        for_good=True,
    ),
    Exit.ARTIFACT: Reason(
        "Artifact",
        "the config or the runtime is missing from the artifacts bucket, could not be fetched, or is not the expected "
        "one",
        _ARTIFACT_FIX,
    ),
    Exit.TIMED_OUT: Reason(
        "TimedOut",
        "the run reached its time limit and ended itself",
        "raise timeout_minutes of the task, or find in its log what took so long",
    ),
    Exit.STOPPED: Reason("Stopped", "the container was asked to stop (SIGTERM)", "run the task again"),
}
"""If the container says that the exit code is its own program's."""

CRASHED = Reason(
    "Crashed",
    "the engine, or a program that it called, crashed (segmentation fault)",
    "read the end of the task's log; try another version",
)

BEFORE_A_STOP = (Exit.WRONG_INPUT, Exit.ARTIFACT, Exit.TIMED_OUT)
"""A container that is stopped exits with another code: these say more than who stopped it."""

SIGNAL_EXITS: dict[int, Reason] = {
    Exit.KILLED: Reason(
        "EngineKilled",
        "the engine's process was killed, most likely because the container's memory was full",
        "raise memory_mib of the task",
    ),
    139: CRASHED,
}
"""If the container says that a signal killed the engine: 128 and the signal's number."""

_SHELL: dict[int, Reason] = {
    126: Reason(
        "NotExecutable",
        "the command, or one that it calls, may not be executed",
        "read the end of the task's log; check the command of the task and the image",
    ),
    127: Reason(
        "NoCommand",
        "the command, or one that it calls, is not in the image",
        "read the end of the task's log; check the command of the task and the image",
    ),
    139: CRASHED,
}
"""What shells and most programs mean by these codes."""

OTHER_EXIT = Reason(
    "OtherExit", "the engine ended with an exit code of its own", "read the end of the task's log"
)  # fmt: skip

SAID_IN_THE_LOG = ("Failed", "WrongInput", "WrongInputOrOwnExit", "Artifact", "ArtifactOrOwnExit", "OtherExit")
"""Reasons that are better told in the container's own words, where its log ends in an error with a fix."""

ENGINE_EXITS: dict[int, Reason] = {
    Exit.FAILED: FAILED,
    Exit.KILLED: Reason(
        "KilledWithin",
        "the engine's exit code means that a program that it called was killed, most likely because the "
        "container's memory was full",
        "read the end of the task's log; raise memory_mib of the task",
    ),
    **_SHELL,
}
"""If the container says that the exit code is the engine's own; `OTHER_EXIT` for the rest."""

EXITS: dict[int, Reason] = {
    Exit.FAILED: FAILED,
    Exit.WRONG_INPUT: Reason(
        "WrongInputOrOwnExit",
        "either the container refused its environment or its config, or the engine ended with exit code 2 of its own, "
        "which many programs give for wrong arguments",
        "read the end of the task's log: after a line `penstock:` with a fix, correct the file that it names and "
        "deploy again; otherwise the engine says what is missing",
    ),
    Exit.ARTIFACT: Reason(
        "ArtifactOrOwnExit",
        "either the config or the runtime is missing from the artifacts bucket, could not be fetched, or is not the "
        "expected one, or the engine ended with exit code 65 of its own",
        _ARTIFACT_FIX,
    ),
    Exit.TIMED_OUT: Reason(
        "TimedOutOrOwnExit",
        "either the run reached its time limit and ended itself, or the command ended with exit code 124 of its own, "
        "as `timeout` does",
        "read the last line `penstock:` in the task's log; raise timeout_minutes of the task, or find what took so "
        "long",
    ),
    Exit.KILLED: Reason(
        "KilledOrOwnExit",
        "the container was killed, out of memory or still running after the stop timeout, or a program in it was",
        "raise memory_mib of the task if nobody stopped it",
    ),
    Exit.STOPPED: Reason(
        "StoppedOrOwnExit",
        "the container, or a program in it, was asked to stop (SIGTERM)",
        "run the task again if that was a mistake",
    ),
    **_SHELL,
    127: Reason(
        "NoProgramOrPython",
        "a program is not in the image: the command, one that it calls, or `python3`, which starts Penstock's runtime",
        "read the end of the task's log; correct the command, or, if it has `exec python3 failed`, take "
        "`python: true` out of the task in penstock.yaml",
    ),
}
"""If it is not known whose the exit code is: without the log, or if the runtime did not start."""

ALONE_EXITS: dict[int, Reason] = {
    Exit.FAILED: FAILED,
    Exit.KILLED: EXITS[Exit.KILLED],
    Exit.STOPPED: EXITS[Exit.STOPPED],
    **_SHELL,
}
"""If the container does not have Penstock's runtime: the runtime's meaning of its own codes does not apply."""

NO_EXIT_CODE = Reason(
    "NoExitCode",
    "ECS lost track of the container: it gives no exit code",
    "read the end of the task's log; try again",
    transient=True,
)
UNKNOWN = Reason(
    "Unknown",
    "ECS gives a stop code that Penstock does not know",
    "read ECS's words and the end of the task's log",
)


def every() -> tuple[Reason, ...]:
    """All reasons, each once."""
    exits = (
        *OWN_EXITS.values(),
        *SIGNAL_EXITS.values(),
        *ENGINE_EXITS.values(),
        *EXITS.values(),
        *ALONE_EXITS.values(),
        OTHER_EXIT,
    )
    stops = (*STOPS, STOPPED_BY_AIRFLOW, DEADLINE, STOPPED_BY_REAPER, STOPPED_BY_SOMEBODY)
    return tuple(dict.fromkeys((OUT_OF_MEMORY, *STARTS, NOT_STARTED, *stops, *exits, NO_EXIT_CODE, UNKNOWN)))
