"""Project → plan: task definitions, tasks, schedules, network, and what may be unintended. Pure."""
