"""The prober: a process that asks an overcloud all the while it is updated."""
