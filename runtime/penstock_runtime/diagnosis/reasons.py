"""Why Fargate tasks stop, as a table that `diagnose` reads.

Words are in ECS's own spelling; `*` is any text, case counts. Sources: AWS, Amazon ECS Developer Guide, "Stopped tasks
error messages", "CannotPullContainer task errors", "ResourceInitializationError task errors"; ECS's API, `stopCode`;
our own exit codes (`contract.Exit`).
"""

from __future__ import annotations

from dataclasses import dataclass

from penstock_runtime.contract import Exit

FAILED_TO_START = "TaskFailedToStart"
EXITED = "EssentialContainerExited"
BY_SOMEBODY = "UserInitiated"

_PULL = "CannotPull*"
_PREPARE = "ResourceInit*"
_START = "Cannot*Container*"


@dataclass(frozen=True)
class Reason:
    """One way to end, and what to do about it."""

    name: str
    """Unique; letters only. It is in the subject of the message."""
    cause: str
    fix: str
    transient: bool = False
    """Whether the same task may well succeed when it is tried again: capacity, throttling, Spot, a host that went."""


OUT_OF_MEMORY = Reason(
    "OutOfMemory",
    "the container needed more memory than it has",
    "raise memory_mib of the task in penstock.yaml",
)
OUT_OF_MEMORY_WORDS = ("*OutOfMemory*", "*killed due to memory usage*")
"""In the container's reason; the task's says only that the container exited."""

PROGRAM_MISSING_WORDS = (f"{_START}executable file not found*", f"{_START}exec: *no such file or directory*")
"""The program that starts the container is not in the image. Which one that is depends on who starts it."""
PYTHON_MISSING = Reason(
    "NoPython",
    "the image has no `python3`, which starts Penstock's runtime",
    "take `python: true` out of the task in penstock.yaml, and the image's own entry point runs the command; or put "
    "Python 3.10 or later into the image, which OpenMetadata's and Meltano's need",
)
"""Where the runtime starts."""
PROGRAM_MISSING = Reason(
    "NoProgram",
    "the image does not have the program of the task's command, or of its own entry point, which gets the command",
    "correct the command in penstock.yaml: a program that is in the image, or what its entry point takes, where it has "
    "one; for what a shell does (&&, |, $NAME) write [sh, -c, …] where the image has one",
)
"""Where the image's own entry point runs."""

STARTS: dict[Reason, tuple[str, ...]] = {
    Reason(
        "PullLimit",
        "the registry limits how often its images may be pulled",
        "try again later, or copy the image to a registry of your own and name that",
        transient=True,
    ): (f"{_PULL}toomanyrequests*", f"{_PULL}pull rate limit*"),
    Reason(
        "ImagePlatform",
        "the image is not built for the task's architecture",
        "set architecture to one that the image has (x86_64 for OpenMetadata's)",
    ): (f"{_PULL}matching platform*", f"{_PULL}match for platform*"),
    Reason(
        "ImageMissing",
        "the image is not in its registry, or the registry shows it to nobody without a login",
        "check the image's name and tag in penstock.yaml; `cdk deploy` pushes the ones that it builds",
    ): (
        f"{_PULL}failed to resolve ref*not found*",
        f"{_PULL}manifest for *not found*",
        f"{_PULL}manifest unknown*",
        f"{_PULL}name unknown*",
        f"{_PULL}pull access denied*",
    ),
    Reason(
        "DiskFull",
        "the image does not fit on the task's disk",
        "raise ephemeral_storage_gib of the task",
    ): (f"{_PULL}no space left on device*",),
    Reason(
        "RegistryUnreachable",
        "the task's subnets do not reach the image's registry, or it does not answer",
        "give the private subnets a NAT gateway, or endpoints for ecr.api, ecr.dkr and s3 and an image in ECR",
    ): (
        f"{_PULL}timeout*",
        f"{_PULL}timed out*",
        f"{_PULL}deadline exceeded*",
        f"{_PULL}no route to host*",
        f"{_PULL}connection refused*",
        f"{_PULL}context canceled*",
        f"{_PULL}no such host*",
        f"{_PREPARE}ecr registry auth*dial tcp*",
        f"{_PREPARE}ecr registry auth*deadline exceeded*",
        f"{_PREPARE}registry auth from Amazon ECR*",
    ),
    Reason(
        "PullDenied",
        "the registry or the execution role does not let the task pull its image, or there is no such image: some "
        "registries answer both alike",
        "check the image's name and tag in penstock.yaml, that the registry allows the pull, and the execution role's "
        "ecr permissions",
    ): (
        f"{_PULL}AccessDenied*",
        f"{_PULL}not authorized*",
        f"{_PULL}no basic auth*",
        f"{_PULL}401 Unauthorized*",
        f"{_PULL}403 Forbidden*",
    ),
    Reason(
        "LoginDenied",
        "the execution role may not log in to ECR, or the policy of the VPC's endpoint for ecr.api refuses it",
        "deploy again: the stacks grant ecr:GetAuthorizationToken; check the endpoint's policy where it is yours",
    ): (f"{_PREPARE}ecr registry auth*AccessDenied*", f"{_PREPARE}ecr registry auth*not authorized*"),
    Reason(
        "SecretField",
        "the secret has no such JSON field",
        "correct the part after # of its reference under secrets in penstock.yaml, or add the field to the secret",
    ): (f"{_PREPARE}json key*",),
    Reason(
        "SecretMissing",
        "one of the task's secrets does not exist in this account and region",
        "create it, or correct its reference under secrets in penstock.yaml",
    ): (f"{_PREPARE}retrieve secret*ResourceNotFound*", f"{_PREPARE}invalid ssm parameters*"),
    Reason(
        "SecretKey",
        "the execution role may not use the KMS key that encrypts one of the task's secrets",
        "name that key in secret_kms_keys (kms:Decrypt) and deploy; see that the key's policy lets this account use it",
    ): (f"{_PREPARE}retrieve secret*Access to KMS is not allowed*", f"{_PREPARE}retrieve secret*kms:Decrypt*"),
    Reason(
        "SecretDenied",
        "the execution role may not read one of the task's secrets, or there is no such secret: AWS answers both alike "
        "to a role that may read some secrets only",
        "see that the secret exists in this account and region, and correct its reference under secrets in "
        "penstock.yaml (a full ARN is safest); if it does, deploy again; where a KMS key of your own encrypts it, name "
        "that key in secret_kms_keys (kms:Decrypt)",
    ): (f"{_PREPARE}retrieve secret*AccessDenied*", f"{_PREPARE}retrieve secret*not authorized*"),
    Reason(
        "SecretsUnreachable",
        "the task's subnets do not reach Secrets Manager or SSM",
        "give the private subnets a NAT gateway, or endpoints for secretsmanager and ssm",
    ): (
        f"{_PREPARE}retrieve secret*timeout*",
        f"{_PREPARE}retrieve secret*deadline exceeded*",
        f"{_PREPARE}connection issue*Secrets Manager*",
        f"{_PREPARE}connection issue*Systems Manager*",
    ),
    Reason(
        "LogGroup",
        "the log group is missing, or the execution role may not write to it, or the subnets do not reach CloudWatch",
        "deploy again: the stacks make the log group and the grant; check the subnets' way out",
    ): (f"{_PREPARE}logger args*",),
    Reason(
        "RoleRefused",
        "the task's role is missing, or ECS may not assume it",
        "deploy again: the ingestion stack makes the roles with their trust",
    ): ("*unable to assume the role*",),
    Reason(
        "NoAddress",
        "the subnet has no free IP address",
        "name subnets with more addresses, or run fewer tasks at once",
        transient=True,
    ): ("*InsufficientFreeAddresses*",),
    Reason(
        "NoCapacity",
        "AWS had no Fargate capacity in this zone at this time",
        "try again; use more than one zone, and spot: false for what must not wait",
        transient=True,
    ): ("Capacity is unavailable*", "*InsufficientCapacity*"),
    Reason(
        "Throttled",
        "AWS throttled the calls that start a task",
        "try again; spread the schedules that start at the same minute",
        transient=True,
    ): ("*Rate exceeded*", "*RequestLimitExceeded*"),
    Reason(
        "SlowStart",
        "AWS did not attach network or storage in time",
        "try again",
        transient=True,
    ): ("Timeout waiting for *",),
    Reason(
        "WrongFormat",
        "the program that starts the container is for another architecture, or a script without its first line #!",
        "set architecture to the one that the image is for; give a script its #! line, or name its interpreter",
    ): (f"{_START}exec format error*",),
    Reason(
        "NotPermitted",
        "the program that starts the container may not be executed",
        "make it executable in the image (chmod +x), also for the image's user; or correct the command",
    ): (f"{_START}permission denied*",),
    PYTHON_MISSING: (),
    PROGRAM_MISSING: (),
    Reason(
        "CannotStart",
        "the image could not be started",
        "read ECS's words; check the image's entry point, its working directory and its architecture",
    ): ("CannotStartContainer*", "CannotCreateContainer*"),
}
"""With stop code `TaskFailedToStart`: the reason and its words, in the task's `stoppedReason`."""

NOT_STARTED = Reason(
    "NotStarted",
    "AWS could not prepare the task: its network, image, secrets or log",
    "read ECS's words; check the subnets' way out, the image and the execution role",
)
"""With stop code `TaskFailedToStart` and words that no other reason has."""

STOPS: dict[Reason, tuple[str, ...]] = {
    Reason(
        "Spot",
        "AWS took the Spot capacity back",
        "try again; set spot: false for a task that must not be interrupted",
        transient=True,
    ): ("SpotInterruption",),
    Reason(
        "HostLost", "AWS replaced or lost the host under the task", "try again", transient=True
    ): ("TerminationNotice", "InfrastructureHealth"),
}  # fmt: skip
"""The reason and its stop codes."""

STOPPED_BY_AIRFLOW = Reason(
    "StoppedByAirflow",
    "Airflow stopped the task: its time was up, or somebody marked it or its run",
    "raise timeout_minutes of the task if it needs longer (Airflow stops it 15 minutes after that); run it again if "
    "nothing of that was meant",
)
"""Where no runtime in the container keeps the time."""
ON_KILL_WORDS = ("Task killed by the user",)
"""What the amazon provider's operator gives as its reason (`EcsRunTaskOperator.on_kill`)."""

STOPPED_BY_SOMEBODY = Reason(
    "StoppedBySomebody",
    "somebody stopped the task, or Airflow did: for somebody, or as the Airflow task reached its own time limit",
    "run it again if that was not meant",
)

OWN_EXITS: dict[int, Reason] = {
    Exit.WRONG_INPUT: Reason(
        "WrongInput",
        "the container refused its environment or its config",
        "read the line `penstock:` in the task's log; correct the file that it names and deploy again",
    ),
    Exit.ARTIFACT: Reason(
        "Artifact",
        "the config or the runtime is missing from the artifacts bucket, could not be fetched, or is not the expected "
        "one",
        "read the line `penstock:` in the task's log: it says which; deploy or push again where a file is missing or "
        "another one, check the subnets' way to S3 and the task role where it cannot be fetched",
    ),
    Exit.TIMED_OUT: Reason(
        "TimedOut",
        "the run reached its time limit and ended itself",
        "raise timeout_minutes of the task, or find in its log what took so long",
    ),
    Exit.STOPPED: Reason("Stopped", "the container was asked to stop (SIGTERM)", "run the task again"),
}
"""Where the container says that the exit code is its own program's."""

FAILED = Reason("Failed", "the engine or the command ran and reported a failure", "read the end of the task's log")
CRASHED = Reason(
    "Crashed",
    "the engine, or a program that it called, crashed (segmentation fault)",
    "read the end of the task's log; try another version",
)

BEFORE_A_STOP = (Exit.WRONG_INPUT, Exit.ARTIFACT, Exit.TIMED_OUT)
"""A container that is stopped gives another code: these say more than who stopped it."""

SIGNAL_EXITS: dict[int, Reason] = {
    Exit.KILLED: Reason(
        "EngineKilled",
        "the engine's process was killed, most likely since the container's memory was full",
        "raise memory_mib of the task",
    ),
    139: CRASHED,
}
"""Where the container says that a signal killed the engine: 128 and the signal's number."""

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

ENGINE_EXITS: dict[int, Reason] = {
    Exit.FAILED: FAILED,
    Exit.KILLED: Reason(
        "KilledWithin",
        "the engine gave the exit code that means: a program that it called was killed, most likely since the "
        "container's memory was full",
        "read the end of the task's log; raise memory_mib of the task",
    ),
    **_SHELL,
}
"""Where the container says that the exit code is the engine's own; `OTHER_EXIT` for the rest."""

EXITS: dict[int, Reason] = {
    Exit.FAILED: FAILED,
    Exit.WRONG_INPUT: Reason(
        "WrongInputOrOwnExit",
        "either the container refused its environment or its config, or the engine ended with exit code 2 of its own, "
        "which many programs give for wrong arguments",
        "read the end of the task's log: after a line `penstock:` with a fix, correct the file that it names and "
        "deploy again; otherwise the engine says what it missed",
    ),
    Exit.ARTIFACT: Reason(
        "ArtifactOrOwnExit",
        "either the config or the runtime is missing from the artifacts bucket, could not be fetched, or is not the "
        "expected one, or the engine ended with exit code 65 of its own",
        "read the line `penstock:` in the task's log: it says which; deploy or push again where a file is missing or "
        "another one, check the subnets' way to S3 and the task role where it cannot be fetched",
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
        "run the task again if that was not meant",
    ),
    **_SHELL,
    127: Reason(
        "NoProgramOrPython",
        "a program is not in the image: the command, one that it calls, or `python3`, which starts Penstock's runtime",
        "read the end of the task's log; correct the command, or, where `exec python3 failed` is there, take "
        "`python: true` out of the task in penstock.yaml",
    ),
}
"""Where nobody says whose the exit code is: there is no log at hand, or the runtime did not start."""

ALONE_EXITS: dict[int, Reason] = {
    Exit.FAILED: FAILED,
    Exit.KILLED: EXITS[Exit.KILLED],
    Exit.STOPPED: EXITS[Exit.STOPPED],
    **_SHELL,
}
"""Where nothing of ours is in the container: what the runtime means by its own codes is not meant."""

NO_EXIT_CODE = Reason(
    "NoExitCode",
    "ECS lost sight of the container: it gives no exit code",
    "read the end of the task's log; try again",
    transient=True,
)
UNKNOWN = Reason(
    "Unknown",
    "ECS tells no stop code that is known here",
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
    last = (NOT_STARTED, *STOPS, STOPPED_BY_AIRFLOW, STOPPED_BY_SOMEBODY, *exits, NO_EXIT_CODE, UNKNOWN)
    return tuple(dict.fromkeys((OUT_OF_MEMORY, *STARTS, *last)))
