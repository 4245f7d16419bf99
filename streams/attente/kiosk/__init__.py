"""What runs in an office."""
