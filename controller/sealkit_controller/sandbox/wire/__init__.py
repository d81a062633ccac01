"""Bytes in and out: TLS, HTTP/1.1, and the faults that tests put in between."""
