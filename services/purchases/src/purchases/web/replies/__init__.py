"""What is answered of workspaces, plans, purchases and parked items; pages show it, and the API sends it as JSON."""
