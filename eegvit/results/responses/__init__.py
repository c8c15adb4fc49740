"""What people's brains answered with, and what a decoder of it would be worth to them."""
