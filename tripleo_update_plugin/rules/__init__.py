"""What may be down, what is asked, what is updated?"""
