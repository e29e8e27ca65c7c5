"""What Mistral calls; the work is done in the executor wing."""
