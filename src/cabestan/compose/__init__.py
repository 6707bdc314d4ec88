"""From the Compose file of a released commit to the Swarm stack that is deployed.

Pure code: text and variables go in, values come out. `load` reads and checks, `routes` tells which hosts lead
where, `render` makes the stack, `difference` compares two stacks for a person.
"""
