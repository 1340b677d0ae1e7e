"""Made-up identifiers for recordings: stable, of the same form, different in each recording. Knows no files."""

import hashlib
import math
import re
import string
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from coindcx_feed.errors import UnknownShape

ROUNDS: Final = 8
MAX_ID_CHARACTERS: Final = 4_096
UUID_CHARACTERS: Final = 36
MAX_KNOWN: Final = 4_096

# The parts of a JSON text that matter here; blanks, braces and words like null fall between the matches.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[\[\]{},:]')
_ID_NAME: Final = re.compile(r"(?:^|_)u?ids?$|[a-z]Ids?$|^apiKey$", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HEX: Final = re.compile(r"[0-9a-f-]{16,}|[0-9A-F-]{16,}")
_HEX_DIGITS: Final = "0123456789abcdef"
_CLASSES: Final = (string.digits, string.ascii_lowercase, string.ascii_uppercase)

_check = msgspec.json.Decoder().decode


class Redactor:
    """Replaces identifiers in JSON texts; every other character stays as it is.

    An identifier is the value of a field whose name ends in ``id`` (``id``, ``client_order_id``, ``userId``, lists of
    them too) and every UUID in any text. Two different ones do not become the same: the replacement is a permutation of
    all texts of the same form, chosen by the key.

    Args:
        key: Random bytes of this recording; who has them can undo it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        # An order's frames repeat its ids: computing one anew takes a tenth of a millisecond.
        self._cached = lru_cache(MAX_KNOWN)(self._computed)

    def redact(self, text: str) -> str:
        """Return a JSON text with other identifiers.

        Raises:
            UnknownShape: If it is no JSON: what its parts are cannot be told then.
        """
        try:
            _check(text)
        except (ValueError, RecursionError):
            raise UnknownShape("expected JSON, was text in which identifiers cannot be told apart") from None
        out: list[str] = []
        done = 0
        for start, end, new in self._changes(text):
            out += (text[done:start], new)
            done = end
        return "".join((*out, text[done:]))

    def made_up(self, value: str) -> str:
        """Return the identifier that stands for one: same length, digits for digits, letters for letters."""
        return self._cached(value)

    def _computed(self, value: str) -> str:
        classes = _classes(value)
        sizes = [len(letters) for letters in classes]
        size = math.prod(sizes)
        if size < 2:
            return value
        rank = 0
        for letter, letters in zip(value, classes, strict=True):
            rank = rank * len(letters) + letters.index(letter)
        rank = self._permuted(rank, size, repr(classes).encode())
        found = []
        for letters in reversed(classes):
            rank, index = divmod(rank, len(letters))
            found.append(letters[index])
        return "".join(reversed(found))

    def _changes(self, text: str) -> list[tuple[int, int, str]]:
        tokens = list(_TOKEN.finditer(text))
        found = []
        names: list[str] = [""]  # of the field whose value is being read, one per open bracket
        for index, token in enumerate(tokens):
            word = token.group()
            if word in "{[":
                names.append(names[-1] if word == "[" else "")
            elif word in "}]":
                names.pop()
            elif word in ",:":
                continue
            else:
                is_name = index + 1 < len(tokens) and tokens[index + 1].group() == ":"
                if is_name:
                    names[-1] = word[1:-1]
                new = self._replaced(word, not is_name and _ID_NAME.search(names[-1]) is not None)
                if new != word:
                    found.append((token.start(), token.end(), new))
        return found

    def _replaced(self, word: str, is_id: bool) -> str:
        if not is_id:
            is_long = len(word) >= UUID_CHARACTERS
            return _UUID.sub(lambda match: self.made_up(match.group()), word) if is_long else word
        if len(word) > MAX_ID_CHARACTERS:
            raise UnknownShape(f"expected identifiers of at most {MAX_ID_CHARACTERS} characters, was a longer one")
        if "\\" in word:  # an escape is no run of letters: its text is taken apart and written again
            plain: str = _check(word)
            return msgspec.json.encode(self.made_up(plain)).decode()
        return f'"{self.made_up(word[1:-1])}"' if word.startswith('"') else self._number(word)

    def _number(self, word: str) -> str:
        # No number may begin with a zero that it did not have.
        if not word.isdecimal():
            return word
        rest = len(word) - 1
        if word == "0":
            return word
        low = 10**rest
        return str(low + self._permuted(int(word) - low, 9 * low, f"number {rest}".encode()))

    def _permuted(self, rank: int, size: int, form: bytes) -> int:
        """Return the place of a rank in a permutation of ``range(size)``: a Feistel network, walked until inside."""
        right = math.isqrt(size - 1) + 1
        left = -(-size // right)
        while True:
            for number in range(ROUNDS):
                high, low = divmod(rank, right)
                rank, right, left = left * low + (high + self._noise(number, low, form)) % left, left, right
            # An even number of rounds: both halves are as wide as in the beginning.
            if rank < size:
                return rank

    def _noise(self, number: int, low: int, form: bytes) -> int:
        seed = b"%b %d %d %b" % (self._key, number, low, form)
        return int.from_bytes(hashlib.shake_256(seed).digest(low.bit_length() // 8 + 32), "big")


def _classes(value: str) -> Sequence[str]:
    """Return for each character those it may become; one that is neither letter nor digit only itself."""
    if _UUID.fullmatch(value) or (_HEX.fullmatch(value) and not value.replace("-", "").isdecimal()):
        for digits in (_HEX_DIGITS, _HEX_DIGITS.upper()):
            if set(value) <= {"-", *digits}:
                return [letter if letter == "-" else digits for letter in value]
    return [next((letters for letters in _CLASSES if letter in letters), letter) for letter in value]
