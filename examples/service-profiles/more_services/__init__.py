"""Service profiles; the entry point names this package, and its YAML files are read."""
