"""Staff's pages of what the notifier has parked: they translate between forms and decisions, and decide nothing."""
