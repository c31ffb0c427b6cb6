"""How programs run: settings, the scope of the running call, step drivers, executor and portal."""
