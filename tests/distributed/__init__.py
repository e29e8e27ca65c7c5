"""Mistral on more than one machine: the real servers, each a process of its own on loopback."""
