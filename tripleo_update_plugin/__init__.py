"""Zero downtime minor updates of TripleO overclouds, planned per role and service and run by Mistral."""
