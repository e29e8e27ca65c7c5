"""What several of our Ansible modules share; it travels with them to the nodes, whose Pythons may be old."""
