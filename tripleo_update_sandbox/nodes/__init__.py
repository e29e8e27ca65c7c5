"""What is a simulated node? A folder, the commands in it, and how Ansible gets there."""
