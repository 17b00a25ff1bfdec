"""The rows, and the questions that handlers ask of them. Nothing here commits."""
