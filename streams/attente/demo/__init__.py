"""The whole system at work on one machine: a real Kafka, workers, and a network of offices or a month of tickets.

Everything that is shown or reported is read from the workers' `/metrics`; nothing is computed from the events.
"""
