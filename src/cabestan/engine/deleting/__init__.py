"""Taking away what was made, with a last backup of its data, so that nothing is left behind."""
