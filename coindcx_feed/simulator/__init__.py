"""An exchange with CoinDCX's futures wire on loopback: Socket.IO, signed REST, matching, margin and a ledger.

Nothing outside the demo runtime and the command line imports this room, and nothing in it reaches a real exchange.
"""
