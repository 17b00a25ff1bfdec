"""Money of purchases that goes back: asked for by staff, made in the Dashboard, or returned by itself."""
