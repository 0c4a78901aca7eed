"""The Lambda functions: each module has a `handler`."""
