"""What comes in from anybody, before it is known who: connections, heads, bodies and text; each with a bound."""
