"""What several handlers do with a locked purchase: move it, learn its ids, record money that came or went back."""
