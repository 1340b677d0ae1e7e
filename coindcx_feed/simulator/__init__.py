"""An exchange with CoinDCX's futures wire on loopback: Socket.IO, signed REST, matching, margin, funding and a ledger.

The engine is pure: core, announcer, lifecycle, closings, triggers and risk, in this order, under ``engine.Exchange``.
Its frames pass courier, outbox, hub and line, where :class:`behaviour.Behaviour` and the server's methods spoil them.
Nothing outside the demo runtime and the command line imports this room, and nothing in it reaches a real exchange.
"""
