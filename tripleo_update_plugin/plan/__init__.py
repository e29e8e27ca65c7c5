"""The plan as a value: its text, its promises, its differences."""
