"""*Delivery → one try at its Receiver*, one module a kind."""
