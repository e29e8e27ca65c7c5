"""What has to be scheduled: groups of nodes, what they share, what comes before what."""
