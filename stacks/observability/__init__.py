"""The observability stack: dashboard, alarms, notifications, and the functions that watch."""
