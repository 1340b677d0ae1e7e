"""An Engine.IO speaker that writes ready-made frames as fast as the client reads: the client is the bottleneck.

Run as a program: ``blaster.py EVENTS`` prints its port and sends after the client's ``go``.
"""

import asyncio
import json
import struct
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

OPEN = '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
ORDERS = 2_000
BURST = 200


def record(number: int) -> dict[str, object]:
    """Build the update of one of ``ORDERS`` orders: 33 fields, about 900 bytes, each one different from all others."""
    order, step = number % ORDERS, number // ORDERS
    return {
        "id": f"ee15d2b6-3a05-11ef-9f6c-{order:012d}",
        "pair": ("B-BTC_USDT", "B-ETH_USDT", "B-SOL_USDT")[order % 3],
        "side": ("buy", "sell")[order % 2],
        "status": "partially_filled",
        "order_type": "limit_order",
        "stop_trigger_instruction": "last_price",
        "notification": "email_notification",
        "leverage": 10,
        "maker_fee": 0.0236,
        "taker_fee": 0.059,
        "fee_amount": round(0.041952187 + step, 9),
        "price": 67123.5,
        "stop_price": 0,
        "avg_price": 67120.25,
        "total_quantity": 100,
        "remaining_quantity": 100 - step,
        "cancelled_quantity": 0,
        "ideal_margin": 839.04375,
        "locked_margin": 839.04375,
        "order_category": None,
        "stage": "default",
        "created_at": 1_719_922_333_123,
        "updated_at": 1_719_922_334_456 + step,
        "take_profit_price": 69000,
        "stop_loss_price": 65000,
        "liquidation_fee": None,
        "group_id": None,
        "group_status": None,
        "metatags": None,
        "position_margin_type": "isolated",
        "settlement_currency_conversion_price": 87.412,
        "margin_currency_short_name": "USDT",
        "trades": [],
        "display_message": "limit buy 100 at 67123.5 is partially filled",
    }


def frame(number: int) -> bytes:
    inner = json.dumps([record(number)], separators=(",", ":"))
    event = "df-order-update"
    body = ("42" + json.dumps([event, {"event": event, "data": inner}], separators=(",", ":"))).encode()
    return struct.pack("!BBH", 0x81, 126, len(body)) + body


async def serve_one(send: Callable[[web.WebSocketResponse, asyncio.Transport], Awaitable[None]], most_s: float) -> None:
    """Print the port, take one client through the handshake and its first message, send, and wait until it leaves."""
    done = asyncio.Event()

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str(OPEN)
        async for message in socket:
            if message.data.startswith("40"):
                await socket.send_str('40{"sid":"y"}')
            elif message.data.startswith("42"):
                break
        assert request.transport is not None
        await send(socket, request.transport)
        await socket.receive()
        done.set()
        return socket

    app = web.Application()
    app.router.add_get("/socket.io/", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.wait_for(done.wait(), most_s)
    await runner.cleanup()


async def main(count: int) -> None:
    frames = [frame(number) for number in range(count)]

    async def send(_: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        for first in range(0, count, BURST):
            transport.write(b"".join(frames[first : first + BURST]))
            while transport.get_write_buffer_size() > 200_000:
                await asyncio.sleep(0.0002)

    await serve_one(send, 120)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
