"""Inside a Fargate task: settings, secrets, the engine's process, masking, metrics."""
