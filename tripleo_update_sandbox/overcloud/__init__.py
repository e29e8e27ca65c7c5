"""The overclouds there are to try, as stack outputs."""
