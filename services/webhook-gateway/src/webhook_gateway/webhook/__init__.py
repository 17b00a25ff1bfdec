"""The webhook as HTTP: a request read and proven, an answer, what is counted and logged of it."""
