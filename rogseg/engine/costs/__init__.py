"""What a config will cost: it is read, built and handed to `rogseg.estimation`."""
