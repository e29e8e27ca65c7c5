"""What goes wrong around an update, made to go wrong in a sandbox, and judged by what the nodes noted themselves."""
