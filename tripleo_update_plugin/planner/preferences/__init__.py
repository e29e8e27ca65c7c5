"""What is wished for beyond budgets: where people look, who goes first, who goes last."""
