"""Other people's names for what telic has: tables, and the little it takes to put them in place."""
