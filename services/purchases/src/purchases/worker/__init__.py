"""The worker: which subject takes which fact, and which job."""
