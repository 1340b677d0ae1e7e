"""CoinDCX Feed: a read-only live monitor of a CoinDCX futures account."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("coindcx-feed")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0.0.0"
