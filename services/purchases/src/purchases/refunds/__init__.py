"""Money of purchases that goes back: requested by staff, made in the Dashboard, or refunded by itself."""
