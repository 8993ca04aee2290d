"""What an attack ascends, one file each."""
