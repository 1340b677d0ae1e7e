"""A package, so that a fixture may live as long as this room's tests and no longer."""
