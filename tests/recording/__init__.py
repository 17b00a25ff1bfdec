"""What a journey leaves at the edges of the product, recorded and compared: `make golden` records it anew."""
