"""Late interaction measured beside exact MaxSim, BM25, single vectors and fast-plaid."""
