"""What makes facts arrive: outbox and relay, inbox and consumer, and what is set aside."""
