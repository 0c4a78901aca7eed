"""Dashboard, alarms and notifications of a project."""
