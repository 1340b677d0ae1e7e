"""Every error this package raises on purpose. A message says what was expected, what came and what to do."""


class FeedError(Exception):
    """Root of all errors of this package."""


class ConfigError(FeedError):
    """A setting, a command-line value or the machine (port, folder, lock) does not allow to go on."""


class OwnerLocked(ConfigError):
    """Another process holds the exchange session of this account."""


class UpstreamError(FeedError):
    """The exchange could not be reached, or answered in a way that ends the session."""


class ProtocolMismatch(UpstreamError):
    """The peer does not speak Socket.IO over Engine.IO 4."""


class RestError(UpstreamError):
    """A REST read failed.

    Attributes:
        status: HTTP status, or 0 when no reply came.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class CredentialsRefused(RestError):
    """Key, secret or signature are wrong (401), or there are none. Asking again does not help."""


class RequestRefused(RestError):
    """The exchange does not take this request, or it is none that this package may send. Asking again does not help."""


class UnknownPair(RequestRefused):
    """The exchange answered with another instrument, or with nothing: it does not know the pair."""


class RateLimited(RestError):
    """Too many requests, ours or those of another program with the same key.

    Attributes:
        retry_after_s: How long the exchange wants to be left alone, where it says so.
    """

    def __init__(self, message: str, status: int = 429, retry_after_s: float | None = None) -> None:
        super().__init__(message, status)
        self.retry_after_s = retry_after_s


class ServerTrouble(RestError):
    """The exchange answered with an error of its own or with a page instead of data; it may pass."""


class NoReply(RestError):
    """No complete reply came: time-out, network, name or certificate."""


class BadReply(RestError):
    """The reply is JSON but not what is documented, or it is too large.

    Attributes:
        raw: Its text, cut.
    """

    def __init__(self, message: str, status: int = 200, raw: bytes = b"") -> None:
        super().__init__(message, status)
        self.raw = raw[:4_096]


class FrameError(FeedError):
    """A frame cannot be turned into events; it goes to quarantine with this message as the reason."""


class NotJson(FrameError):
    """The text is not JSON."""


class UnknownShape(FrameError):
    """The JSON is none of the shapes known for this event."""


class StoreError(FeedError):
    """The durable log could not be written or read. Nothing is half-written; the same call may succeed later."""


class StoreBusy(StoreError):
    """Another process or session holds the log, or it did not answer within its limit."""


class StoreFull(StoreError):
    """No space is left where the log is kept."""


class StoreGone(StoreError):
    """The log's file was removed, or the connection to its server is lost."""


class StoreCorrupt(StoreError):
    """The log's file is damaged. Opening it anew keeps the damaged file and begins another."""


class RecoverError(FeedError):
    """A cursor cannot be served from what is kept."""


class EpochChanged(RecoverError):
    """The cursor belongs to another series of sequence numbers."""


class PositionLost(RecoverError):
    """Events after the cursor were already overwritten.

    Attributes:
        missed_from: First ``seq`` that is gone.
        missed_to: Last ``seq`` that is gone.
    """

    def __init__(self, missed_from: int, missed_to: int) -> None:
        super().__init__(f"events {missed_from} to {missed_to} are no longer kept; read on from {missed_to + 1}")
        self.missed_from = missed_from
        self.missed_to = missed_to


class ClientError(FeedError):
    """A sidecar client did something that its connection does not survive."""


class BadRequest(ClientError):
    """A query or message of a client is not understood."""


class NotAuthorized(ClientError):
    """No credentials, or wrong ones."""


class OriginRefused(ClientError):
    """The page that opened the socket is not on the list."""
