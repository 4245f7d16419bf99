"""The smallest registry: one office, one service, no norm."""

LILLE_YAML = """
network: small
services:
  - {id: cash, title: Cash}
offices:
  - {id: lille, name: Lille, region: north, zone: Europe/Paris, services: [cash]}
"""
