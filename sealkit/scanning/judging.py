"""Is a value a secret, or does it only stand where one will be? And does a name speak of one?"""

from __future__ import annotations

import math
import re
from collections import Counter
from enum import Enum, auto
from typing import Final

from sealkit.scanning.decoding import bytes_in_base64, text_in_base64
from sealkit.scanning.masking import MASK

_LENGTHS: Final = (8, 16, 32, 64, 256)

# What stands for a secret that is elsewhere, or is encrypted: whole values, and parts of them.
_REFERENCE: Final = re.compile(
    r"""
      (?:>>)?vault:\S+\#\S                      # bank-vaults
    | vault:v[0-9]+:                            # ciphertext of Vault's transit engine
    | ref\+[a-z0-9]+:// | op:// | (?:[a-z]{1,20}\+)?secrets?://
    | (?:aws|gcp|azure)\S{0,9}secret\S{0,9}://
    | arn:aws[a-z-]*:(?:secretsmanager|ssm|kms):
    | projects/[^/\s]+/secrets/
    | ENC\[ | sealed: | \$ANSIBLE_VAULT | -----BEGIN\ (?:AGE\ ENCRYPTED|PGP\ MESSAGE)
    | (?:\$[A-Za-z_]\w* | %\w+% | @[\w.]+@ | __\w+__ | \{\w+\} | \#\{.*\}\#?)\Z
    | !(?:vault|secret|env|sops)\b
    """,
    re.VERBOSE,
)
_HAS_REFERENCE: Final = re.compile(rf"<path:[^<>]+>|\$\{{[^{{}}]*\}}|\$\([^()]*\)|\{{\{{|{MASK}")
_SEALED: Final = re.compile(r"Ag[A-D][A-Za-z0-9+/]{300,}={0,2}\s*")  # Bitnami's kubeseal
_NOTHING: Final = re.compile(
    r"(?:null|~|none|nil|undefined|n/a|true|false|yes|no|on|off|enabled|disabled|required|optional"
    r"|<[^<>]{1,80}>|\[[A-Za-z _-]*\]|[xX*.…•_?#\s-]+)?",
    re.IGNORECASE,
)
_PUBLIC: Final = re.compile(
    r"\s*(?:-----BEGIN (?:[A-Z0-9 ]*CERTIFICATE[A-Z0-9 ]*|[A-Z ]*PUBLIC KEY(?: BLOCK)?"
    r"|DH PARAMETERS|SEALKIT RECIPIENT|X509 CRL)-----"
    r"|(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ AAAA|age1[a-z0-9]{20,})"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\s\W_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that a stand-in is made of. One that says so, and nothing but such words, is no secret.
_SAYS_SO: Final = _words(
    "your yours my insert enter put replace replaceme fill example examples sample dummy fake mock"
    " placeholder redacted masked hidden todo fixme tbd test tests testing foo bar baz foobar"
    " lorem ipsum some any here omitted elided generated notreal invalid xxx"
)
_DEFAULTS: Final = _words(
    "changeme changeit change password passwd pass pwd secret admin administrator root guest"
    " default letmein supersecret topsecret hunter swordfish qwerty mysecret"
)
_AROUND: Final = _words(
    "a an the in with by of and or to for from this that please now me it real own value string"
    " text key keys token tokens api app client user username name db database access private"
    " login auth oauth id base encoded base64 url uri http https postgres postgresql mysql redis"
    " mongodb amqp host localhost port com org net www random strong secure long very super"
    " credentials credential passphrase git github gitlab vault secrets passwords data"
)
_KNOWN: Final = frozenset(
    ("p@ssw0rd", "p@ssword", "passw0rd", "s3cr3t", "s3cret", "sup3rs3cr3t", "hunter2", "t0ps3cr3t")
)


class Verdict(Enum):
    """What a value is."""

    NOTHING = auto()  # empty, a reference, a placeholder, encrypted, or public
    DEFAULT = auto()  # a word like changeme: maybe in use, but no secret
    LITERAL = auto()


def judge(text: str) -> Verdict:
    """Say what a value is that stands there as it is."""
    value = text.strip().strip("\"'").strip()
    if _NOTHING.fullmatch(value) or _SEALED.fullmatch(value):
        return Verdict.NOTHING
    if _REFERENCE.match(value) or _HAS_REFERENCE.search(value):
        return Verdict.NOTHING
    if _PUBLIC.match(value) and "PRIVATE KEY" not in value:
        return Verdict.NOTHING
    return _judge_words(value)


def judge_encoded(text: str) -> tuple[Verdict, int]:
    """Say what a value under `data` is, and how long: base64, or readable text by mistake."""
    raw = bytes_in_base64(text)
    if judge(text) is not Verdict.LITERAL:
        return judge(text), len(text)
    if raw is None:
        return Verdict.LITERAL, len(text)
    inner = text_in_base64(text)
    return (Verdict.LITERAL if inner is None else judge(inner)), len(raw)


def _judge_words(value: str) -> Verdict:
    if len(value) > 80:
        return Verdict.LITERAL
    if value.lower() in _KNOWN:
        return Verdict.DEFAULT
    words = [word.lower() for word in _WORD.findall(value)]
    letters = {word for word in words if not word.isdigit()}
    digits = [word for word in words if word.isdigit()]
    if not letters <= _SAYS_SO | _DEFAULTS | _AROUND or _counts(digits):
        return Verdict.LITERAL
    if letters & _SAYS_SO or (letters and _is_set(value)):
        return Verdict.NOTHING
    return Verdict.DEFAULT if letters & _DEFAULTS or _is_row(value) else Verdict.LITERAL


def _counts(digits: list[str]) -> bool:
    """Tell whether digits say something: more than a number behind a word, such as a port."""
    return any(len(one) > 5 and not _is_row(one) for one in digits) or len(digits) > 3


def _is_row(value: str) -> bool:
    return len(value) > 2 and (value in "01234567890" or len(set(value)) == 1)


def _is_set(value: str) -> bool:
    """Tell whether a value is the name of a variable, such as DB_PASSWORD."""
    return value.isupper() and "_" in value


def is_random(value: str) -> bool:
    """Tell whether a value looks like a made-up one: not a name, a path, or a sentence."""
    if len(value) < 12 or re.search(r"\s|^[./~]|^[a-z]+://", value):
        return False
    digits = sum(one.isdigit() for one in value)
    letters = sum(one.isalpha() for one in value)
    return digits >= 2 and letters >= 2 and entropy_bits(value) >= 3


def entropy_bits(text: str) -> float:
    """Return Shannon's entropy of a text, in bits for each character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


_STRONG: Final = _words("password passwd passphrase passcode pwd")
_WEAK: Final = _words("token secret apikey credential credentials secretkey accesskey")
_KEYS: Final = _words(
    "api secret access private auth signing encryption master session license shared storage"
    " account consumer"
)
_URL: Final = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,200}:(?P<password>[^\s/@]{1,200})@", re.IGNORECASE
)


def names_secret(name: str, value: str) -> Verdict:
    """Judge a value by the name it has: only names that promise a secret count.

    `password` needs no more; what may also be the name of something, such as `token` or `apiKey`,
    must look random. In any URL a password counts.
    """
    url = _URL.search(value)
    if url and judge(value) is Verdict.LITERAL:
        return judge(url["password"])
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1].isdigit() or words[-1] == "base"):
        words.pop()
    if not words or "existing" in words or _is_elsewhere(value):
        return Verdict.NOTHING
    if words[-1] in _STRONG or "".join(words[-2:]) in _STRONG:
        return judge(value)
    is_weak = words[-1] in _WEAK or (words[-1] == "key" and bool(_KEYS & set(words[-2:-1])))
    return judge(value) if is_weak and is_random(value) else Verdict.NOTHING


def _is_elsewhere(value: str) -> bool:
    """Tell whether a value is a path, or a sentence that a form shows."""
    return value.startswith(("/", "./", "~/")) or value.strip().count(" ") > 1


def length_class(length: int) -> str:
    """Return roughly how long a value is."""
    low = 1
    for limit in _LENGTHS:
        if length < limit:
            return f"{low} to {limit - 1} characters"
        low = limit
    return f"{low} characters or more"
