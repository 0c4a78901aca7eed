"""References to secrets and parameters, and the keys that encrypt them."""
