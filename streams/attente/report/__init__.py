"""Reports: a whole file of events through the same core as in the workers, without a broker."""
