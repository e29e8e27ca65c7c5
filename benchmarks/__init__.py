"""How good plans are and what they cost; ``python -m benchmarks`` writes docs/source/benchmarks-table.rst."""
