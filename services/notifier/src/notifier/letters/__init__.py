"""The letters: which fact is mailed to whom, and in which words."""
