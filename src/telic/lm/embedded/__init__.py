"""Models that run in this process, on llama.cpp: the engine, its queue, and the way to the library."""
