"""Long, random, seeded and reproducible: what no test has the time for. `bin/campaign` runs them."""
