"""Networks that join the features of several branches, or put one in front of another."""
