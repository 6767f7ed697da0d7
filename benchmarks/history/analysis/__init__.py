"""What `asv` runs."""
