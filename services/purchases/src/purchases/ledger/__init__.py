"""Purchases and their money: the states, the rows, and the only writer of both."""
