"""Why a task ended, in plain words, and what to do about it."""
