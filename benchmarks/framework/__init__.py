"""telic against DSPy and against the bare HTTP client: the same work, interleaved, on this machine."""
