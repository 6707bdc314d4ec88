"""What applications say, taken from their containers and kept in order: each line once, a flood bounded."""
