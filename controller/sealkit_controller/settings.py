"""The controller's settings, read once from environment variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sealkit.errors import ConfigError

DEFAULT_NAMESPACE: Final = "sealkit-system"
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NAME: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}"
_VALUES: Final = rf"\( *({_NAME})?( *, *({_NAME})?)* *\)"
_REQUIREMENT: Final = rf"!? *{_KEY}|{_KEY} *(=|==|!=) *({_NAME})?|{_KEY} +(not)?in +{_VALUES}"
_SELECTOR: Final = re.compile(rf"({_REQUIREMENT})( *, *({_REQUIREMENT}))*")
_CLUSTER: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_VAULT: Final = ("off", "namespaced", "cluster")
_ADDRESS: Final = re.compile(
    r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?"
)
_LEVELS: Final = ("debug", "info", "warning", "error")
_MAX_PORT: Final = 65535


@dataclass(frozen=True)
class Settings:
    """Everything an operator can choose. Each field is a variable of the same name, in README.

    `namespace` holds the controller's keys and its Lease; with `leader_election` any number of
    replicas may run, and one of them writes. No `watch_namespaces` means the whole cluster, an
    empty `label_selector` every manifest. Of several `shards` this process works for number `shard`
    only. A port of 0 lets the system choose a free one. Resync is the longest time until a Secret
    is looked at again without any event; each object's own moment is spread over the last fifth.
    A key that is older than `key_renewal_days` gets a successor, never for 0. With `vault`
    references are resolved: by VaultStores alone, or by those of the cluster too. A VaultStore may
    have one of `vault_addresses`; without any, every https address that is not local.
    """

    namespace: str = DEFAULT_NAMESPACE
    watch_namespaces: tuple[str, ...] = ()
    label_selector: str = ""
    leader_election: bool = False
    shards: int = 1
    shard: int = 0
    key_renewal_days: int = 30
    vault: Literal["off", "namespaced", "cluster"] = "off"
    vault_addresses: tuple[str, ...] = ()
    cluster_name: str = "default"
    workers: int = 16
    bind_address: str = ""
    public_port: int = 8080
    probe_port: int = 8081
    resync_seconds: int = 36_000
    stalled_retry_seconds: int = 600
    shutdown_seconds: int = 20
    request_timeout_seconds: float = 30
    watch_timeout_seconds: int = 300
    log_level: str = "info"
    pod_name: str = "sealkit-controller"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *, own_namespace: str = "") -> Settings:
        """Read `SEALKIT_*`. `own_namespace` is that of the pod, used when no other is given.

        Raises:
            ConfigError: a value is not of its kind or out of range, there is no such shard, or a
                variable that starts with SEALKIT_ is unknown: a typo must not silently do nothing.
        """
        given = {name: environ[name] for name in environ if name.startswith(_PREFIX)}
        for name in given:
            if name not in _READERS:
                known = ", ".join(sorted(_READERS))
                raise ConfigError("is not a setting", field=name, hint=f"known: {known}")
        values = {
            name.removeprefix(_PREFIX).lower(): _READERS[name](name, raw.strip())
            for name, raw in given.items()
        }
        values.setdefault("namespace", own_namespace.strip() or DEFAULT_NAMESPACE)
        settings = cls(**values)  # type: ignore[arg-type]  # each reader returns its field's type
        if settings.shard >= settings.shards:
            problem = f"is not a number below that of SEALKIT_SHARDS, {settings.shards}"
            raise ConfigError(problem, field="SEALKIT_SHARD")
        return settings


_PREFIX: Final = "SEALKIT_"


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str, str], str]:
    def read(name: str, raw: str) -> str:
        if not pattern.fullmatch(raw):
            raise ConfigError(f"is not {what}", field=name)
        return raw

    return read


def _whole(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
            raise ConfigError(f"is not a whole number from {low} to {high}", field=name)
        return int(raw)

    return read


def _optional(read: Callable[[str, str], str]) -> Callable[[str, str], str]:
    return lambda name, raw: read(name, raw) if raw else ""


def _several(read: Callable[[str, str], str]) -> Callable[[str, str], tuple[str, ...]]:
    """Read a list with commas: each one once, in the order of the alphabet."""
    return lambda name, raw: tuple(
        sorted({read(name, part.strip()) for part in raw.split(",")} if raw else ())
    )


def _switch(name: str, raw: str) -> bool:
    if raw not in {"true", "false"}:
        raise ConfigError("is neither true nor false", field=name)
    return raw == "true"


_namespace = _matching(_LABEL, "a namespace (RFC 1123 label)")
_READERS: Final[Mapping[str, Callable[[str, str], str | int | tuple[str, ...]]]] = {
    "SEALKIT_NAMESPACE": _namespace,
    "SEALKIT_WATCH_NAMESPACES": _several(_namespace),
    "SEALKIT_LABEL_SELECTOR": _optional(_matching(_SELECTOR, "a label selector")),
    "SEALKIT_LEADER_ELECTION": _switch,
    "SEALKIT_SHARDS": _whole(1, 64),
    "SEALKIT_SHARD": _whole(0, 63),
    "SEALKIT_KEY_RENEWAL_DAYS": _whole(0, 3650),
    "SEALKIT_VAULT": _matching(re.compile("|".join(_VAULT)), f"one of {', '.join(_VAULT)}"),
    "SEALKIT_VAULT_ADDRESSES": _several(_matching(_ADDRESS, "http[s]://host[:port]")),
    "SEALKIT_CLUSTER_NAME": _matching(_CLUSTER, "lower-case letters, digits, '-' and '.'"),
    "SEALKIT_WORKERS": _whole(1, 256),
    "SEALKIT_BIND_ADDRESS": _matching(re.compile(r"[0-9a-fA-F:.]*"), "an IP address"),
    "SEALKIT_PUBLIC_PORT": _whole(0, _MAX_PORT),
    "SEALKIT_PROBE_PORT": _whole(0, _MAX_PORT),
    "SEALKIT_RESYNC_SECONDS": _whole(60, 604_800),
    "SEALKIT_STALLED_RETRY_SECONDS": _whole(1, 86_400),
    "SEALKIT_SHUTDOWN_SECONDS": _whole(1, 3600),
    "SEALKIT_REQUEST_TIMEOUT_SECONDS": _whole(1, 300),
    "SEALKIT_WATCH_TIMEOUT_SECONDS": _whole(5, 3600),
    "SEALKIT_LOG_LEVEL": _matching(re.compile("|".join(_LEVELS)), f"one of {', '.join(_LEVELS)}"),
    "SEALKIT_POD_NAME": _matching(re.compile(r"[a-z0-9][-a-z0-9.]{0,120}"), "a pod name"),
}
