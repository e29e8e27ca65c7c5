"""An embedded undercloud with a small overcloud of simulated nodes, for trying updates out."""
