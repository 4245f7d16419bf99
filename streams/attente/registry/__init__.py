"""What a network is and what it promises: offices and their hours, services, norms, from one checked YAML file."""
