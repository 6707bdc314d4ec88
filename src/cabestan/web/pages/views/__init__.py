"""What the templates get: frozen values made by pure functions from the domain's. No I/O and no clock."""
