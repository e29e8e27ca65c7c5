"""A Mistral of our own, as processes on this machine."""
