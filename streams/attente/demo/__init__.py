"""The whole system at work on one machine: a real Kafka, workers, a month of tickets, and figures in the terminal.

Everything that is shown or reported is read from the workers' `/metrics`; nothing is computed from the tape.
"""
