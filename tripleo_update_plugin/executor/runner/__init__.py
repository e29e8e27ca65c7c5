"""The process that carries one phase out."""
