"""*Kind of Source → its documents*: one module per kind."""
