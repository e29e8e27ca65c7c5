"""What people do to an update once it has been started."""
