"""The tests; what several suites use stands here."""
