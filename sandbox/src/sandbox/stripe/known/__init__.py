"""What the sandbox knows of the API: a table, one row for each operation."""
