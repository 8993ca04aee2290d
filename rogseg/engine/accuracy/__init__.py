"""How well a system segments, measured in the raw grid."""
