"""Systems on corrupted volumes: which corruptions, how strong, and a record of each case under each."""
