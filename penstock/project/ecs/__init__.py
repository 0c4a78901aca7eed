"""The ECS cluster, the log and the images of a project."""
