"""What a plan costs, from dated prices or AWS's own price list."""
