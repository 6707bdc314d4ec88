"""What strangers and users try against a running platform."""
