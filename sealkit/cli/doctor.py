"""`sealkit doctor`: what usually goes wrong at a desk, and how to mend it. Asks no network.

This module loads with broken libraries too, for it is the one that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.output import print_json
from sealkit.errors import SealkitError
from sealkit.lines import printable


class State(StrEnum):
    """What a check came to; `fail` is what makes the whole fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(NamedTuple):
    """One thing that was looked at. Ids are stable; a check may find several things."""

    id: str
    state: State
    message: str
    hint: str = ""

    def lines(self) -> Iterator[str]:
        """Yield the lines for people."""
        yield printable(f"{self.state:4}  {self.id:12}  {self.message}")
        if self.hint:
            yield printable(f"      {'':12}  hint: {self.hint}")


@click.command("doctor")
@click.argument("files", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def doctor_command(app: App, files: tuple[str, ...], as_json: bool) -> None:
    """Check this installation, this repository and the key FILES, and say what to mend.

    FILES are private keys that you use, such as prod.key: who else can read them is checked.
    Nothing is changed, and no network is asked. Ends with 1 if a check fails.
    """
    found = list(run(app, files))
    if as_json:
        print_json(app, [check._asdict() for check in found])
    else:
        lines = (line for check in found for line in check.lines())
        app.write(STDIO, "".join(f"{line}\n" for line in lines))
    if any(check.state is State.FAIL for check in found):
        raise click.exceptions.Exit(SealkitError.exit_code)


def run(app: App, files: tuple[str, ...]) -> Iterator[Check]:
    """Yield the checks; without working libraries those about them are all there are."""
    basics = (check_crypto(lambda: round_trip(app.random)), check_yaml(has_libyaml))
    yield from basics
    if any(check.state is State.FAIL for check in basics):
        return
    from sealkit.cli.doctor_checks import checks  # noqa: PLC0415 (needs working libraries)

    yield from checks(app, files)


def check_crypto(work: Callable[[], str]) -> Check:
    """Check that sealing works: `work` seals, opens and returns what did it."""
    try:
        return Check("crypto", State.OK, work())
    except ImportError as error:
        hint = "install sealkit anew: pip install --force-reinstall sealkit"
        return Check("crypto", State.FAIL, f"the cryptography package is damaged: {error}", hint)
    except SealkitError as error:
        return Check("crypto", State.FAIL, error.problem, error.hint)


def round_trip(random: Callable[[int], bytes]) -> str:
    """Seal a value and open it again, and return with what.

    Raises:
        ImportError: a library is missing or too old.
        SealkitError: there is no ML-KEM-768, or what comes back is not what went in.
    """
    from cryptography.hazmat.backends.openssl import backend  # noqa: PLC0415 (may be damaged)

    from sealkit.crypto.x1 import PrivateKey  # noqa: PLC0415 (same)
    from sealkit.manifests.scope import Scope  # noqa: PLC0415 (same)
    from sealkit.manifests.secret import Secret  # noqa: PLC0415 (same)
    from sealkit.sealing import seal, unseal  # noqa: PLC0415 (same)
    from sealkit.sensitive import Sensitive  # noqa: PLC0415 (same)

    key = PrivateKey.generate(random)
    secret = Secret(name="check", namespace="check", data={"key": Sensitive(b"value")})
    unseal(seal(secret, [key.public], Scope.STRICT, random), {key.kid: key})
    return f"sealing with ML-KEM-768 works ({backend.openssl_version_text()})"


def check_yaml(fast: Callable[[], bool]) -> Check:
    """Check that PyYAML has libyaml, without which nothing is read."""
    if fast():
        return Check("yaml", State.OK, "PyYAML has libyaml")
    hint = "install its wheel: pip install --force-reinstall --only-binary :all: pyyaml"
    return Check("yaml", State.FAIL, "PyYAML is missing, or built without libyaml", hint)


def has_libyaml() -> bool:
    """Tell whether PyYAML is there with libyaml."""
    try:
        import yaml  # noqa: PLC0415 (may be damaged)
    except ImportError:
        return False
    return bool(yaml.__with_libyaml__)
