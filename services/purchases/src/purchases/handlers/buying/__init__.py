"""An add-on is offered, and bought with the saved card."""
