"""What an organization asks of every role, and what tasks may do."""
