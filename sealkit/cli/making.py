"""Making a Secret of its values at the desk: nothing there needs to come out the same twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sealkit.assembly import Salt
from sealkit.errors import SealkitError
from sealkit.sealing import Random


@contextmanager
def making(random: Random) -> Iterator[Salt]:
    """Yield a random salt for what is made inside, and explain what is not installed.

    Raises:
        SealkitError: a builder needs bcrypt, and it is not there.
    """
    try:
        yield lambda _: random(16)
    except ModuleNotFoundError as error:
        if error.name != "bcrypt":
            raise
        hint = "pip install bcrypt"
        raise SealkitError("the builder htpasswd needs bcrypt", hint=hint) from error
