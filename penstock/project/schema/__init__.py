"""What every part of the project file is made of: the base model, patterns with their wording, errors explained."""
