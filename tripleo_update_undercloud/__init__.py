"""A Mistral of our own, as processes on this machine: all that a sandbox shares with any other place that needs one."""
