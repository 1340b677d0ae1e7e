"""Plain data for pages: ring, state and marks as dictionaries, lists and arrays that survive a hot reload."""
