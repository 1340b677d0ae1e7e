"""The side of a script: subscribe to a sidecar, reconnect, resume."""
