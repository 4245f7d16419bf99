"""What Prometheus sees: the catalogue of metrics, the collector over the core's view, the server."""
