"""Where events come from besides kiosks: importers and replay."""
