"""A second implementation of opening, written from docs/format.md alone.

It shares no code with sealkit and takes from libraries only ML-KEM, X25519, AES-GCM and
ChaCha20-Poly1305. It tells the four verdicts apart and nothing more. Slow and simple.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from hashlib import sha3_256, sha256, shake_256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

DNS_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SCOPES: Final = ("strict", "namespace-wide", "cluster-wide")
REFUSED: Final = ("kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token")
NEEDED: Final = {
    "kubernetes.io/tls": ["tls.crt", "tls.key"],
    "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
    "kubernetes.io/dockercfg": [".dockercfg"],
    "kubernetes.io/ssh-auth": ["ssh-privatekey"],
}
CHUNK: Final = 16384


class ManifestRefusedError(Exception):
    """Refused by reading."""


class NoKeyHereError(Exception):
    """No key for some envelope."""


class OpeningFailedError(Exception):
    """Refused by opening."""


def verdict(manifest: Any, seeds: list[bytes]) -> tuple[str, dict[str, bytes] | None]:
    """Return the verdict class and, on success, the values."""
    try:
        return "success", opened(manifest, seeds)
    except ManifestRefusedError:
        return "manifest-failure", None
    except NoKeyHereError:
        return "no-key", None
    except (OpeningFailedError, InvalidTag, ValueError):  # ValueError: an X25519 share of low order
        return "unseal-failure", None


def need(condition: object) -> None:
    if not condition:
        raise ManifestRefusedError


def opened(manifest: Any, seeds: list[bytes]) -> dict[str, bytes]:
    read(manifest)
    spec, place = manifest["spec"], manifest["metadata"]
    scope, namespace, name = spec["scope"], place.get("namespace", ""), place["name"]
    need(namespace or scope == "cluster-wide")
    where = [
        *("X1", scope, "" if scope == "cluster-wide" else namespace),
        name if scope == "strict" else "",
    ]
    deks = {
        eid: unwrapped(eid, entry["wraps"], where, seeds)
        for eid, entry in spec["envelopes"].items()
    }
    values = {}
    for key, text in spec["encryptedData"].items():
        eid, item = text.removeprefix("sealed:").split(".")
        bound = context("value", *where, from_uuid(eid), key)
        values[key] = unpadded(decrypted(deks[eid], bound, base64.b64decode(item)))
    check_values(spec.get("template", {}).get("type", "Opaque"), values)
    return values


# Reading


def read(manifest: Any) -> None:
    known(manifest, "apiVersion kind metadata spec status")
    need(manifest.get("apiVersion") == "sealkit.dev/v1alpha1")
    need(manifest.get("kind") == "SealedSecret")
    metadata, spec = manifest["metadata"], manifest["spec"]
    known(metadata, "name namespace labels annotations")
    name, namespace = metadata.get("name"), metadata.get("namespace", "")
    need(isinstance(name, str) and re.fullmatch(rf"{DNS_LABEL}(\.{DNS_LABEL})*", name))
    need(namespace == "" or re.fullmatch(DNS_LABEL, namespace))
    known(
        spec,
        "scope envelopes encryptedData references vault template rolloutRestart"
        " suspend recreate deletionPolicy",
    )
    need(spec.get("scope") in SCOPES)
    need(all(spec.get(flag, False) in (True, False) for flag in ("suspend", "recreate")))
    need(spec.get("deletionPolicy", "Delete") in ("Delete", "Retain"))
    read_envelopes(spec["envelopes"])
    read_data(spec["encryptedData"], spec["envelopes"])
    read_template(spec.get("template", {}), spec["encryptedData"])


def read_envelopes(envelopes: Any) -> None:
    need(len(envelopes) <= 64)
    for eid, envelope in envelopes.items():
        from_uuid(eid)
        known(envelope, "suite wraps")
        need(envelope.get("suite") == "X1")
        need(1 <= len(envelope["wraps"]) <= 64)
        for kid, wrap in envelope["wraps"].items():
            from_base32(kid)
            need(wrap[:5] == "wrap:" and len(from_base64(wrap[5:])) == 1168)


def read_data(data: Any, envelopes: Any) -> None:
    need(len(data) <= 1024)
    used = set()
    for key, text in data.items():
        need(re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key) and not re.match(r"\.\.|\.$", key))
        match = re.fullmatch(r"sealed:([^.]{36})\.(.*)", text)
        need(match)
        eid, item = match.groups() if match else ("", "")
        body = len(from_base64(item)) - 56
        padded = body - 16 * (body // (CHUNK + 16) + 1)
        need(padded >= 64 and padded_length(padded) == padded)
        used.add(eid)
    need(used == set(envelopes))


def read_template(template: Any, data: Any) -> None:
    known(template, "type immutable metadata mergePolicy build data delimiters")
    known(template.get("metadata", {}), "labels annotations")
    kind = template.get("type", "Opaque")
    need(kind and kind not in REFUSED)
    need(all(key in data for key in NEEDED.get(kind, [])))
    need(kind != "kubernetes.io/basic-auth" or {"username", "password"} & set(data))


def check_values(kind: str, values: dict[str, bytes]) -> None:
    need(sum(map(len, values.values())) <= 1 << 20)
    for key in NEEDED.get(kind, []):
        if key == "ssh-privatekey":
            need(values[key])
        if key.startswith(".docker"):
            try:
                need(isinstance(json.loads(values[key].decode()), dict))
            except ValueError:
                raise ManifestRefusedError from None


def known(mapping: Any, names: str) -> None:
    need(isinstance(mapping, dict) and set(mapping) <= set(names.split()))


def from_base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ManifestRefusedError from None
    need(base64.b64encode(raw).decode() == text)
    return raw


def from_base32(text: str) -> bytes:
    need(re.fullmatch("[a-z2-7]{25}[aeimquy4]", text))  # the last character has two spare bits
    return base64.b32decode(text.upper() + "======")


def from_uuid(text: str) -> bytes:
    need(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    return bytes.fromhex(text.replace("-", ""))


# Opening


def context(label: str, *parts: str | bytes) -> bytes:
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    lengths = [len(part).to_bytes(4, "big") + part for part in raw]
    return b"sealkit.dev/v1\0" + label.encode() + b"\0" + b"".join(lengths)


def unwrapped(eid: str, wraps: dict[str, str], where: list[str], seeds: list[bytes]) -> bytes:
    keys = {kid_of(seed): seed for seed in seeds}
    for kid in sorted(wraps):
        if kid in keys:
            info = context("wrap", *where, from_uuid(eid), kid)
            return hpke_open(base64.b64decode(wraps[kid][5:]), keys[kid], info)
    raise NoKeyHereError


def halves(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = shake_256(seed).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    return mlkem, X25519PrivateKey.from_private_bytes(expanded[64:])


def public_key(seed: bytes) -> bytes:
    return b"".join(half.public_key().public_bytes_raw() for half in halves(seed))


def kid_of(seed: bytes) -> str:
    digest = sha256(context("kid", "X1", public_key(seed))).digest()
    return base64.b32encode(digest[:16]).decode().rstrip("=").lower()


def hpke_open(wrap: bytes, seed: bytes, info: bytes) -> bytes:
    """HPKE base mode, one message: RFC 9180 sections 5.1 and 5.2, with X-Wing as the KEM."""
    mlkem, x25519 = halves(seed)
    share, public = wrap[1088:1120], x25519.public_key().public_bytes_raw()
    secrets = mlkem.decapsulate(wrap[:1088]) + x25519.exchange(
        X25519PublicKey.from_public_bytes(share)
    )
    shared = sha3_256(secrets + share + public + bytes.fromhex("5c2e2f2f5e5c")).digest()
    schedule = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    key, nonce = expand(secret, b"key", schedule, 32), expand(secret, b"base_nonce", schedule, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, wrap[1120:], b"")


SUITE_ID: Final = b"HPKE" + bytes.fromhex("647a00010003")


def extract(salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + SUITE_ID + label + material, "sha256")


def expand(key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE_ID + label + info
    return hmac.digest(key, labeled + b"\1", "sha256")[:length]


def decrypted(dek: bytes, bound: bytes, item: bytes) -> bytes:
    salt, commitment, body = item[:24], item[24:56], item[56:]
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + bound
    first = hmac.digest(dek, info + b"\1", "sha512")
    derived = first + hmac.digest(dek, first + info + b"\2", "sha512")
    if not hmac.compare_digest(derived[44:76], commitment):
        raise OpeningFailedError
    nonce, padded = int.from_bytes(derived[32:44], "big"), b""
    for number, start in enumerate(range(0, len(body), CHUNK + 16)):
        chunk_nonce = (nonce ^ number).to_bytes(12, "big")
        padded += AESGCM(derived[:32]).decrypt(chunk_nonce, body[start : start + CHUNK + 16], b"")
    return padded


def padded_length(content: int) -> int:
    if content <= 1024:
        return -(-content // 64) * 64
    exponent = content.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-content // step) * step


def unpadded(padded: bytes) -> bytes:
    length = int.from_bytes(padded[:4], "big")
    value, rest = padded[4 : 4 + length], padded[4 + length :]
    if len(value) < length or any(rest) or padded_length(4 + length) != len(padded):
        raise OpeningFailedError
    return value
