"""Whether all is as it must be: this machine, the broker, its topics, the registry. Nothing is changed."""
