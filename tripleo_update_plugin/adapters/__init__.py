"""One foreign library each; its values and its errors are translated here."""
