"""The side of a script: subscribe to a sidecar, reconnect, resume."""

from coindcx_feed.client.subscribe import Envelope, events

__all__ = ["Envelope", "events"]
