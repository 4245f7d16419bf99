"""What travels: events, their instants, why one is refused, and the topics that carry them."""
