"""The WebSocket that offers the same events to scripts."""
