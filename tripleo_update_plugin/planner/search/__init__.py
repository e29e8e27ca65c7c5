"""The shortest schedule, its bounds, and the fewest batches to cut it into."""
