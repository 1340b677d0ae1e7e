"""All that knows CoinDCX: names on the wire, signatures, records, the session and the REST reads."""
