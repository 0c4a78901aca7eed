"""The Plan as CloudFormation: four stacks, each in its own file, with their constructs beside them.

    NetworkStack → IngestionStack → AirflowStack
                        └─────────→ ObservabilityStack

References point one way, and only to what a later deploy does not change: subnets, security groups and buckets are
exports; families, role names, the cluster and the log group are known at build time and used by name.
"""
