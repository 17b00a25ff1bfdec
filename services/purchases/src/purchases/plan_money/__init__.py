"""Money of the plan that goes back."""
