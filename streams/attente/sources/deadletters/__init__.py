"""The dead letters: what was refused and why, and how what can count after all is sent again."""
