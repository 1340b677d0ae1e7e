"""Names that the made-up services of the tests share."""

EPOCH = "20261122T140212-0a1b2c3d"
PAIRS = ("B-ETH_USDT", "B-BTC_USDT", "B-SOL_USDT")
