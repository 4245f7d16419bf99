"""Dashboards and rules."""
