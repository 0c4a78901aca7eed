"""Jobs, their tasks, and the schedules that run them."""
