"""From a network to a label map in the raw grid."""
