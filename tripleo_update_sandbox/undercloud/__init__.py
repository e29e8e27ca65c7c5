"""What is the sandbox's undercloud? A real Heat and a real Mistral on loopback."""
