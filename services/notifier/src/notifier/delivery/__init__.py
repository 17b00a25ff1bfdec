"""The way of a mail: written as a message, handed to the mail server, and what came of it."""
