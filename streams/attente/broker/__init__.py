"""A local Kafka for trials and tests, and the topics of any Kafka."""
