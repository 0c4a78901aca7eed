"""The network of a project, created or existing, and what can be reached from it."""
