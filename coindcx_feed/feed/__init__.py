"""From frames to numbered events: normalise, de-duplicate, number, keep, and the one runtime that does it."""
