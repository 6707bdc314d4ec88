"""What was deployed, as it does now: followed in Swarm, kept, told to open pages, and raised as alerts."""
