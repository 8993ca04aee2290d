"""What a training and an attack will cost, told before they run."""
