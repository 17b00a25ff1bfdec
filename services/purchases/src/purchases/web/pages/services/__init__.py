"""The page of the add-ons."""
