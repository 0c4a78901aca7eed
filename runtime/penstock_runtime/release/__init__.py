"""Which release of the DAGs is live, what it needs, and when an old one goes."""
