"""Which overclouds are there to try, as stack outputs?"""
