"""What a plan allows, and what a workspace has claimed of it."""
