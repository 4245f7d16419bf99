"""What a network is and what it promises: offices, services, norms, read from one validated YAML file."""
