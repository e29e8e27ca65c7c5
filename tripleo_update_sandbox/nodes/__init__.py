"""Simulated nodes: folders, the commands in them, and how Ansible gets there."""
