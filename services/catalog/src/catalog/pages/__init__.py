"""The catalog's pages: they translate between forms and the API's operations, and decide nothing."""
