"""Dashboards without Grafana: a Prometheus is asked what every panel asks, and each dashboard drawn as one page.

Everything here reads dashboards as Grafana does, from their JSON alone.
"""
