"""The JSON Schemas of the tables."""
