"""The lab: an overcloud of real hosts in network namespaces, updated for real, with clients that are the judge."""
