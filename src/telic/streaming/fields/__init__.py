"""Fields out of an answer that is still being written: one incremental reader for each form of answers."""
