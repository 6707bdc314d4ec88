"""Deploying a release: the workflow, its steps, the watching, and the way back."""
