"""How fast attente is, how much it needs, and how soon it is back: measured on a tape whose totals are known."""
