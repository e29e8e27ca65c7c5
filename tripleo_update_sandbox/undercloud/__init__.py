"""Heat and Mistral on loopback."""
