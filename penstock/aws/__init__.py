"""What AWS takes: facts about its services, each once, with its source."""
