"""The pages of purchases: they translate between forms and the handlers of the API, and decide nothing."""
