"""How a mini-batch becomes an update of the weights."""
