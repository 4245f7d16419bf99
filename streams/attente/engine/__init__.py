"""The Faust application: it moves bytes between Kafka and the core, and decides nothing."""
