"""The spellings of bank-vaults: `vault:`, `>>vault:`, both as `${…}` in text, and ciphertexts.

    [>>]vault:<path>#<key>[#<version or, with >>, body>][ | <modifier>]…

`>>` writes (PUT) and takes the answer. The modifiers are ours; a key `${.name | b64enc}` is read
as far as modifiers can say the same. Source: bank-vaults/vault-sdk `injector/vault/injector.go`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sealkit.errors import ReferenceSyntaxError
from sealkit.references import jsontree
from sealkit.references.escapes import unescape
from sealkit.references.modifiers import Modifier, Plain, parse_modifier
from sealkit.references.reference import (
    OTHER_REFERENCES,
    Decode,
    JsonObject,
    Method,
    Reference,
    json_object,
)
from sealkit.references.structured import parse_version

_BEGIN: Final = re.compile(r"(?:\$\{)?(?:>>)?vault:")
_CIPHERTEXT: Final = re.compile(r"vault:v[0-9]+:[A-Za-z0-9+/=]++(?=\}|\s*\Z)")
# What a field of a whole value goes up to, and of one in braces. A backslash takes the next along.
_PATH: Final = (
    re.compile(r"(?:[^\\#]|\\.?)*+", re.DOTALL),
    re.compile(r"(?:[^\\#}]|\\.?)*+", re.DOTALL),
)
_KEY: Final = (
    re.compile(r"(?:[^\\#|]|\\.?)*+", re.DOTALL),
    re.compile(r"(?:[^\\#|}]|\\.?)*+", re.DOTALL),
)
_MODIFIER: Final = (
    re.compile(r"(?:[^\\|]|\\.?)*+", re.DOTALL),
    re.compile(r"(?:[^\\|{}]|\\.?|\{(?:[^\\{}]|\\.?)*+\})*+", re.DOTALL),
)
_KEY_TEMPLATE: Final = re.compile(
    r"\s*+\$\{\s*+\.([A-Za-z_][A-Za-z0-9_]*+)((?:\s*+\|\s*+[A-Za-z0-9_]++)*+)\s*+\}"
)
_FUNCTIONS: Final = {
    "b64enc": Plain.BASE64_ENCODE,
    "b64dec": Plain.BASE64_DECODE,
    "sha256sum": Plain.SHA256_SUM,
}


@dataclass(frozen=True)
class BankVaults:
    """References as bank-vaults' webhook reads them, whole values or in `${…}`.

    `transit_key` and `transit_mount` say how ciphertexts (`vault:v1:…`) are decrypted; in Vault's
    own spelling they do not say so themselves.
    """

    transit_key: str = ""
    transit_mount: str = "transit"

    @property
    def opener(self) -> str:
        """`vault:` at the very beginning of the text, `${vault:` anywhere, both with `>>`."""
        return r"\A(?:>>)?vault:|\$\{(?:>>)?vault:"

    def read(self, text: str, at: int) -> tuple[Reference, int]:
        """Read one reference; without braces it is all of the text.

        Raises:
            ReferenceSyntaxError: no path, no key, an end that is missing or comes too early, a
                field that is wrong, a reference inside a reference, a template that modifiers
                cannot say, a ciphertext without a transit key.
        """
        braces = text.startswith("${", at)
        prefix = _BEGIN.match(text, at)
        ciphertext = _CIPHERTEXT.match(text, at + 2 * braces)
        reader = _Reader(text, prefix.end() if prefix else at, braces=braces)
        if ciphertext:
            reader.at = ciphertext.end()
            return self._decrypt(ciphertext[0]), reader.end()
        if not braces and OTHER_REFERENCES.search(text):
            what = "is a reference and has others inside, put it into ${…} if it is one of several"
            raise ReferenceSyntaxError(what)
        writes = text.startswith(">>", at + 2 * braces)
        return _reference(reader, writes=writes), reader.end()

    def _decrypt(self, ciphertext: str) -> Reference:
        if not self.transit_key:
            hint = "set the annotation vault.security.banzaicloud.io/transit-key-id"
            raise ReferenceSyntaxError("is a ciphertext, and no transit key is named", hint=hint)
        return Reference(
            path=f"{self.transit_mount}/decrypt/{self.transit_key}",
            key="plaintext",
            method=Method.PUT,
            body=json_object(jsontree.write({"ciphertext": ciphertext})),
            decode=Decode.BASE64,
        )


def _reference(reader: _Reader, *, writes: bool) -> Reference:
    path = reader.take(_PATH)
    if not reader.skip("#"):
        raise ReferenceSyntaxError("has no '#' with a key after the path", field="key")
    key, modifiers = reader.key()
    version: int | None = None
    body = JsonObject("")
    if reader.skip("#"):
        if writes:
            body = reader.body()
        else:
            version = parse_version(reader.take(_KEY))
    while reader.skip("|"):
        modifiers.append(parse_modifier(reader.take(_MODIFIER)))
    method = Method.PUT if writes else Method.GET
    return Reference(
        path, key, version=version, method=method, body=body, modifiers=tuple(modifiers)
    )


class _Reader:
    """A cursor over the text."""

    __slots__ = ("_braces", "_text", "at")

    def __init__(self, text: str, at: int, *, braces: bool) -> None:
        self._text = text
        self._braces = braces
        self.at = at

    def take(self, field: tuple[re.Pattern[str], re.Pattern[str]]) -> str:
        """Take one field, its escapes undone."""
        start = self.at
        match = field[self._braces].match(self._text, start)
        self.at = match.end() if match else start
        return unescape(self._text[start : self.at])

    def skip(self, mark: str) -> bool:
        """Go over white space and the mark, if the mark comes next."""
        at = self._after_space()
        if self._text.startswith(mark, at):
            self.at = at + len(mark)
            return True
        return False

    def key(self) -> tuple[str, list[Modifier]]:
        """Take the key, and the modifiers that stand for the functions of a template."""
        template = _KEY_TEMPLATE.match(self._text, self.at)
        if template:
            self.at = template.end()
            return template[1], [_function(name) for name in template[2].split("|")[1:]]
        if self._text.startswith("${", self._after_space()):
            raise _no_such_template()
        if key := self.take(_KEY):
            return key, []
        raise ReferenceSyntaxError("is empty", field="key")

    def body(self) -> JsonObject:
        """Take a JSON value; it has an end of its own, whatever is in it."""
        read = jsontree.read_at(self._text, self._after_space())
        if not read:
            raise ReferenceSyntaxError("is not a JSON object", field="body")
        start, self.at = self.at, read.end
        return json_object(self._text[start : self.at])

    def end(self) -> int:
        """Return where the reference ends."""
        if self._braces:
            if self.skip("}"):
                return self.at
            raise ReferenceSyntaxError("has no '}' where it should end")
        if self._after_space() < len(self._text):
            raise ReferenceSyntaxError("goes on where it should end")
        return len(self._text)

    def _after_space(self) -> int:
        at = self.at
        while at < len(self._text) and self._text[at].isspace():
            at += 1
        return at


def _function(name: str) -> Modifier:
    modifier = _FUNCTIONS.get(name.strip())
    if modifier is None:
        raise _no_such_template()
    return modifier


def _no_such_template() -> ReferenceSyntaxError:
    hint = f"known: one name, then any of {', '.join(sorted(_FUNCTIONS))}; or use modifiers"
    return ReferenceSyntaxError("is a template that no modifiers can say", field="key", hint=hint)
