"""What the bench deploys: Compose files and the programs in them."""
