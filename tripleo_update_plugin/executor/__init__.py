"""What runs on the machine of Mistral's executor."""
