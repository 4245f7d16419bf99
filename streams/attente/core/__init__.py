"""Pure: facts, their fold, panes, days, windows, and what outsiders may see. No I/O, no clock, no randomness."""
