"""What Ansible is given."""
