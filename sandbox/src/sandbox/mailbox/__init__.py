"""A mail box: an SMTP server that keeps what it is given, and the part of Mailpit's API that shows it."""
