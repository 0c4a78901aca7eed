"""The embedded AWS: ministack (an emulator in pure Python), made as strict as AWS where Penstock relies on it.

    python -m penstock.local.aws --state DIR --port N --images DIR --region R

    __main__ → server     one process on 127.0.0.1, TLS, IAM enforced; `tls` makes its certificate
    compat                the only importer of ministack; checks the pinned version's private names at start
    iam                   resource ARNs and condition keys of ECS and Logs calls, iam:PassRole, role sessions
    ecs → task → process  RunTask and friends; one Fargate task; its container, a local process kept by `keeper`
    ecr, s3               answers that ministack gives more freely than AWS
    launch                what ECS does before a container starts: image, secrets, log stream, as the execution role
    events                ECS Task State Change events
    api_models            calls that the services' own models refuse
    cfn/                  CloudFormation resource types that ministack lacks, and the checks that it does not make
    endpoint              the way in for the desk; imports nothing of the above

What is not real: container images, CPU and memory limits, networks, MWAA's control plane. State lives in memory.
"""
