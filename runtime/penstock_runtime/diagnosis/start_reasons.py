"""Why Fargate tasks do not start: the table that `diagnose` reads for the stop code `TaskFailedToStart`.

Words are in ECS's own spelling; `*` is any text, case counts. `reason` has the sources.
"""

from __future__ import annotations

from penstock_runtime.diagnosis.reason import Reason

_PULL = "CannotPull*"
_PREPARE = "ResourceInit*"
_START = "Cannot*Container*"

PASSING, HICCUP = 5, 2
"""Restarts for what passes by itself, and for what is mostly a setting."""

PROGRAM_MISSING_WORDS = (f"{_START}executable file not found*", f"{_START}exec: *no such file or directory*")
"""The program that starts the container is not in the image. Which one that is depends on who starts it."""
PYTHON_MISSING = Reason(
    "NoPython",
    "the image has no `python3`, which starts Penstock's runtime",
    "take `python: true` out of the task in penstock.yaml, and the image's own entry point runs the command; or put "
    "Python 3.10 or later into the image, which OpenMetadata's and Meltano's need",
    for_good=True,
)
"""If the runtime starts the command."""
PROGRAM_MISSING = Reason(
    "NoProgram",
    "the image does not have the program of the task's command, or of its own entry point, which gets the command",
    "correct the command in penstock.yaml: name a program that is in the image, or arguments for its entry point if it "
    "has one; for what a shell does (&&, |, $NAME) write [sh, -c, …] if the image has a shell",
    for_good=True,
)
"""If the image's own entry point runs the command."""

STARTS: dict[Reason, tuple[str, ...]] = {
    Reason(
        "PullLimit",
        "the registry limits how often its images may be pulled",
        "try again later, or copy the image to a registry of your own and name that",
        transient=True,
        restarts=PASSING,
    ): (f"{_PULL}toomanyrequests*", f"{_PULL}pull rate limit*"),
    Reason(
        "ImagePlatform",
        "the image is not built for the task's architecture",
        "set architecture to one that the image has (x86_64 for OpenMetadata's)",
        for_good=True,
    ): (f"{_PULL}matching platform*", f"{_PULL}match for platform*"),
    Reason(
        "ImageMissing",
        "the image is not in its registry, or the registry requires a login",
        "check the image's name and tag in penstock.yaml; `cdk deploy` pushes the ones that it builds",
        for_good=True,
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
        for_good=True,
    ): (f"{_PULL}no space left on device*",),
    Reason(
        "RegistryUnreachable",
        "the task's subnets cannot reach the image's registry, or it does not answer",
        "give the private subnets a NAT gateway, or endpoints for ecr.api, ecr.dkr and s3 and an image in ECR",
        restarts=HICCUP,
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
        "the registry or the execution role does not let the task pull its image, or the image does not exist: some "
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
        "deploy again: the stacks grant ecr:GetAuthorizationToken; check the policy of the endpoint if it is yours",
    ): (f"{_PREPARE}ecr registry auth*AccessDenied*", f"{_PREPARE}ecr registry auth*not authorized*"),
    Reason(
        "SecretField",
        "the secret does not have that JSON field",
        "correct the part after # of its reference under secrets in penstock.yaml, or add the field to the secret",
        for_good=True,
    ): (f"{_PREPARE}json key*",),
    Reason(
        "AirflowDatabaseUnknown",
        "the address of Airflow's own database is not in its secret yet",
        "run the DAG airflow-database-address once (docs/airflow-metadata.md): it finds the address and writes it",
        for_good=True,
    ): (
        f"{_PREPARE}retrieve secret*/airflow-database*ResourceNotFound*",
        f"{_PREPARE}retrieve secret*ResourceNotFound*/airflow-database*",
    ),
    Reason(
        "SecretMissing",
        "one of the task's secrets does not exist in this account and region",
        "create it, or correct its reference under secrets in penstock.yaml",
        for_good=True,
    ): (f"{_PREPARE}retrieve secret*ResourceNotFound*", f"{_PREPARE}invalid ssm parameters*"),
    Reason(
        "SecretKey",
        "the execution role may not use the KMS key that encrypts one of the task's secrets",
        "name that key in secret_kms_keys (kms:Decrypt) and deploy; check that its policy lets this account use it",
        for_good=True,
    ): (f"{_PREPARE}retrieve secret*Access to KMS is not allowed*", f"{_PREPARE}retrieve secret*kms:Decrypt*"),
    Reason(
        "SecretDenied",
        "the execution role may not read one of the task's secrets, or the secret does not exist: AWS answers both "
        "alike to a role that may read only some secrets",
        "check that the secret exists in this account and region, and correct its reference under secrets in "
        "penstock.yaml (a full ARN is safest); if it does, deploy again; if your own KMS key encrypts it, name that "
        "key in secret_kms_keys (kms:Decrypt)",
    ): (f"{_PREPARE}retrieve secret*AccessDenied*", f"{_PREPARE}retrieve secret*not authorized*"),
    Reason(
        "SecretsUnreachable",
        "the task's subnets cannot reach Secrets Manager or SSM",
        "give the private subnets a NAT gateway, or endpoints for secretsmanager and ssm",
        restarts=HICCUP,
    ): (
        f"{_PREPARE}retrieve secret*timeout*",
        f"{_PREPARE}retrieve secret*deadline exceeded*",
        f"{_PREPARE}connection issue*Secrets Manager*",
        f"{_PREPARE}connection issue*Systems Manager*",
    ),
    Reason(
        "LogGroup",
        "the log group is missing, or the execution role may not write to it, or the subnets cannot reach CloudWatch",
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
        restarts=PASSING,
    ): ("*InsufficientFreeAddresses*",),
    Reason(
        "NoCapacity",
        "AWS had no Fargate capacity in this zone at this time",
        "try again; use more than one zone, and spot: false for a task that must not wait",
        transient=True,
        restarts=PASSING,
    ): ("Capacity is unavailable*", "*InsufficientCapacity*"),
    Reason(
        "Throttled",
        "AWS throttled the calls that start a task",
        "try again; spread the schedules that start at the same minute",
        transient=True,
        restarts=PASSING,
    ): ("*Rate exceeded*", "*RequestLimitExceeded*"),
    Reason(
        "SlowStart",
        "AWS did not attach network or storage in time",
        "try again",
        transient=True,
        restarts=PASSING,
    ): ("Timeout waiting for *",),
    Reason(
        "WrongFormat",
        "the program that starts the container is for another architecture, or a script without its first line #!",
        "set architecture to the image's; give a script its #! line, or name its interpreter",
        for_good=True,
    ): (f"{_START}exec format error*",),
    Reason(
        "NotPermitted",
        "the program that starts the container may not be executed",
        "make it executable in the image (chmod +x), also for the image's user; or correct the command",
        for_good=True,
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
    restarts=HICCUP,
)
"""With stop code `TaskFailedToStart` and words that match no other reason."""
