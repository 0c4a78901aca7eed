"""Project → plan: task definitions, tasks, schedules, network, and what may not be meant. Pure."""
