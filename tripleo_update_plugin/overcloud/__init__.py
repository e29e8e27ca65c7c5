"""What is there, and how is it read?"""
