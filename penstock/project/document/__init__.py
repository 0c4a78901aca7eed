"""YAML with positions: reading it, editing it, and reporting what is wrong with it by line and column."""
