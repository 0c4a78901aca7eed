"""A Meltano project, read as Meltano reads it, and what would go wrong in it."""
