"""What runs inside the process of a `LocalInterpreter`; it needs nothing but the standard library."""
