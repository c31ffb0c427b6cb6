"""How programs run: settings, the scope of the running call, the step drivers, the executor and the portal."""
