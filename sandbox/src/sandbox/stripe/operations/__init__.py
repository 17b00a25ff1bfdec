"""One module for each of Stripe's resources; a function does one operation and answers with the object."""
