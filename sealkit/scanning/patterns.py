"""Keys and tokens that are known by how they look, in a text of any kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from sealkit.findings.finding import Rule
from sealkit.scanning import rules
from sealkit.scanning.decoding import bytes_in_base64, text_in_base64
from sealkit.scanning.hit import Hits, View
from sealkit.scanning.tree import Text

_BODY: Final = 6_000  # characters behind the first line of a key; one of RSA-4096 has 3,200
_PEM: Final = re.compile(r"-----BEGIN (?P<kind>(?:[A-Z0-9]+ )*)PRIVATE KEY(?P<block> BLOCK)?-----")
_DASHES: Final = "-----"
_HEADER: Final = re.compile(r"^[A-Za-z-]+:[^\n]*\n", re.MULTILINE)
_ESCAPES: Final = re.compile(r"\\[nrt]")  # of line ends, in JSON and in programs
_RUN: Final = re.compile(r"[A-Za-z0-9+/=]{40,}")
_NOT_BASE64: Final = re.compile(r"\\[nrt]|[^A-Za-z0-9+/=]+")
_BASE64_PEM: Final = re.compile(r"LS0tLS1CRUdJT[A-Za-z0-9+/]{60,}={0,2}")
# How unencrypted keys begin in DER: RSA and P-256 in PKCS #8, Ed25519, and RSA in PKCS #1.
_BASE64_DER: Final = re.compile(
    r"(?<![A-Za-z0-9+/])(?:MII[A-Za-z0-9+/]{2}[A-Za-z]IBADANBgkqhkiG9w0BAQEFAASC"
    r"|MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w|MC4CAQAwBQYDK2VwBCIEI"
    r"|MII[A-Za-z0-9+/]{2}[A-Za-z]IBAAK[BC])[A-Za-z0-9+/]{40,}"
)
_OPENSSH: Final = b"openssh-key-v1\0\0\0\0\x04none"
_AGE: Final = re.compile(r"AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{58,}")
_VAULT: Final = re.compile(r"hv[sbr]\.[A-Za-z0-9_-]{24,}")
_OLD_VAULT: Final = re.compile(r"s\.[A-Za-z0-9]{24}")
_DOTTED: Final = re.compile(r"[A-Za-z0-9_.-]{40,}")
_JSON: Final = "eyJ"  # what begins with `{"`, in base64
_PARTS_OF_NAMES: Final = re.compile(r"[\w.$/-]")

_KEY_HINT: Final = "keep private keys out of Git, or seal them: sealkit create NAME --from-file …"
_TOKEN_HINT: Final = "revoke the token, and let programs get one of their own"  # noqa: S105 (a hint)


_WORDS: Final = {
    rules.PRIVATE_KEY: ("private key", _KEY_HINT),
    rules.ENCRYPTED_KEY: ("private key behind a passphrase", _KEY_HINT),
    rules.AGE_KEY: ("private key", _KEY_HINT),
}


class _Found(NamedTuple):
    rule: Rule
    start: int
    end: int


_Finder = Callable[[str], Iterator[_Found]]


def look_at_text(view: View) -> Hits:
    """Yield the keys and the tokens in a text."""
    text = view.excerpt.original
    for find in _FINDERS:
        for found in find(text):
            where = Text("", found.start, found.end, "")
            what, hint = _WORDS.get(found.rule, ("token", _TOKEN_HINT))
            yield view.plain(found.rule, where, found.end - found.start, hint, what)


def _private_keys(text: str) -> Iterator[_Found]:
    for match in _PEM.finditer(text):
        rest = text[match.end() : match.end() + _BODY]
        body = rest.partition(_DASHES)[0]
        if any(_is_filled(run, 40) for run in _RUN.findall(_ESCAPES.sub(" ", body))):
            end = match.end() + len(body)
            is_encrypted = "ENCRYPTED" in match["kind"] or _is_encrypted(body)
            rule = rules.ENCRYPTED_KEY if is_encrypted else rules.PRIVATE_KEY
            yield _Found(rule, match.start(), end)


def _is_encrypted(body: str) -> bool:
    """Tell whether a key says so: in a header of RFC 1421, or in the names of OpenSSH's ciphers."""
    if "Proc-Type: 4,ENCRYPTED" in body:
        return True
    raw = bytes_in_base64(_bare(body)[:64]) or b""
    return raw.startswith(_OPENSSH[:15]) and not raw.startswith(_OPENSSH)


def _bare(body: str) -> str:
    return _NOT_BASE64.sub("", _HEADER.sub("", body))


def _encoded_keys(text: str) -> Iterator[_Found]:
    for match in _BASE64_PEM.finditer(text):
        for found in _private_keys(text_in_base64(match[0]) or ""):
            yield _Found(found.rule, *match.span())


def _bare_keys(text: str) -> Iterator[_Found]:
    """Yield keys in base64 without the lines that say so; between those, they are found anyway."""
    for match in _BASE64_DER.finditer(text):
        if "PRIVATE KEY-----" not in text[max(match.start() - 40, 0) : match.start()]:
            yield _Found(rules.PRIVATE_KEY, *match.span())


def _age_keys(text: str) -> Iterator[_Found]:
    for match in _AGE.finditer(text):
        if _is_filled(match[0][16:], 40):
            yield _Found(rules.AGE_KEY, *match.span())


def _vault_tokens(text: str) -> Iterator[_Found]:
    for match in _VAULT.finditer(text):
        if _stands_alone(text, match) and _is_filled(match[0][4:], 20):
            yield _Found(rules.VAULT_TOKEN, *match.span())
    for match in _OLD_VAULT.finditer(text):
        if _stands_alone(text, match) and _is_mixed(match[0][2:]):
            yield _Found(rules.VAULT_TOKEN, *match.span())


def _account_tokens(text: str) -> Iterator[_Found]:
    """Yield JSON Web Tokens (RFC 7519) that an API server issued: three texts in base64."""
    if _JSON not in text:
        return
    for match in _DOTTED.finditer(text):
        head, payload, *signature = [*match[0].split("."), "", ""][:3]
        is_token = head.startswith(_JSON) and payload.startswith(_JSON) and signature[0]
        if is_token and _is_of_kubernetes(payload):
            yield _Found(rules.SERVICE_ACCOUNT, *match.span())


def _is_of_kubernetes(payload: str) -> bool:
    try:
        claims = json.loads(text_in_base64(payload) or "")
    except (ValueError, RecursionError):
        return False
    if not isinstance(claims, dict):
        return False
    is_old = claims.get("iss") == "kubernetes/serviceaccount"
    return is_old or any(str(claim).startswith("kubernetes.io") for claim in claims)


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Tell whether a token is no part of a longer name."""
    around = text[max(match.start() - 1, 0) : match.start()], text[match.end() : match.end() + 1]
    before, after = around
    return not _PARTS_OF_NAMES.match(before) and not (after.isalnum() or after in ("_", "("))


def _is_mixed(text: str) -> bool:
    """Tell whether letters of both cases and digits are mixed, as no name in a program has it."""
    digits = sum(one.isdigit() for one in text)
    upper = sum(one.isupper() for one in text)
    return digits >= 2 and upper >= 3 and sum(one.islower() for one in text) >= 3


def _is_filled(body: str, length: int) -> bool:
    """Tell whether there is a key, and not dots, crosses or the same letter again and again."""
    return len(body) >= length and len(set(body[:200])) >= 12


_FINDERS: Final[tuple[_Finder, ...]] = (
    *(_private_keys, _encoded_keys, _bare_keys, _age_keys, _vault_tokens, _account_tokens),
)
