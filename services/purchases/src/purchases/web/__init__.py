"""What answers people and programs: who asks, what they may, the API and the pages."""
