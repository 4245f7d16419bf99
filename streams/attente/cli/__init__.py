"""The command attente: one module per group of commands."""
