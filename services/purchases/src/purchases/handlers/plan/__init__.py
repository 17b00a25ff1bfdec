"""The subscription, and the caps that come with it."""
