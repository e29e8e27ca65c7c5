"""What Mistral is given."""
