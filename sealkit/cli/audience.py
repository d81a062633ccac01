"""Who may read a manifest: the decision of the configuration, made once for every writing verb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealkit.cli.app import App
from sealkit.config import NAME, Config, find_config
from sealkit.crypto.recipient import Recipient
from sealkit.errors import PolicyError, UsageError
from sealkit.keystore import load_recipient, pinned_recipient
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret


@dataclass(frozen=True)
class Choice:
    """What the user asked for: cluster names, or recipient files where there is no config."""

    clusters: tuple[str, ...] = ()
    recipient_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audience:
    """The clusters that may open a manifest and the scopes it may have."""

    recipients: tuple[Recipient, ...]
    scopes: tuple[Scope, ...] = tuple(Scope)

    @property
    def names(self) -> str:
        """The clusters, for people."""
        return ", ".join(recipient.cluster for recipient in self.recipients)

    def check_scope(self, scope: Scope) -> None:
        """Refuse a scope that the rule for this file does not allow.

        Raises:
            PolicyError: it is not allowed here.
        """
        if scope not in self.scopes:
            allowed = ", ".join(entry.value for entry in self.scopes)
            raise PolicyError(
                f"{scope} is not allowed here, expected {allowed}", field="spec.scope"
            )

    def check_manifest(self, sealed: SealedSecret) -> None:
        """Refuse to work on a manifest that others can open than the configuration says.

        Raises:
            PolicyError: naming the first envelope whose recipients differ, or the scope.
        """
        self.check_scope(sealed.scope)
        expected = {recipient.key.kid for recipient in self.recipients}
        for eid, envelope in sealed.envelopes.items():
            if set(envelope.wraps) != expected:
                who = _kids(envelope.wraps)
                raise PolicyError(
                    f"can be opened by {who}, the configuration says {self.names}",
                    field=f"spec.envelopes.{eid}.wraps",
                    hint="seal the Secret again for the clusters of the configuration",
                )


def _kids(wraps: Mapping[str, bytes]) -> str:
    return ", ".join(f"{kid[:8]}…" for kid in sorted(wraps))


def audience_for(app: App, target: Path | None, choice: Choice) -> Audience:
    """Decide who may read the file `target`; None means that nobody knows where it will go.

    Raises:
        PolicyError: the request contradicts the configuration, or no rule covers the file.
        ConfigError: the configuration or a recipient file is wrong, or a key is expired.
        UsageError: there is neither a configuration nor a recipient file.
    """
    config = find_config(target.parent if target else app.folder)
    if config is None:
        return _without_config(app, choice)
    if choice.recipient_files:
        return _pinned_files(app, config, choice)
    rule = config.rule_for(target) if target else None
    names = rule.clusters if rule else _without_rule(config, target, choice)
    if choice.clusters and set(choice.clusters) != set(names):
        hint = f"the rule for this file is in {config.path}"
        raise PolicyError(f"this file is sealed for {', '.join(names)}", hint=hint)
    return Audience(
        tuple(_pinned(app, config, name) for name in names),
        rule.scopes if rule else tuple(Scope),
    )


def _without_config(app: App, choice: Choice) -> Audience:
    if choice.clusters or not choice.recipient_files:
        raise UsageError(
            f"there is no {NAME} here or above",
            hint="sealkit init, then sealkit clusters add; or pass --recipient FILE",
        )
    return Audience(tuple(load_recipient(app.path(name)) for name in choice.recipient_files))


def _pinned_files(app: App, config: Config, choice: Choice) -> Audience:
    recipients = tuple(load_recipient(app.path(name)) for name in choice.recipient_files)
    pinned = {cluster.kid for cluster in config.clusters.values()}
    for recipient in recipients:
        if recipient.key.kid not in pinned:
            raise PolicyError(
                f"key {recipient.key.kid} is not pinned in {config.path}",
                hint="sealkit clusters add NAME FILE",
            )
    return Audience(recipients)


def _without_rule(config: Config, target: Path | None, choice: Choice) -> tuple[str, ...]:
    if choice.clusters:
        return _known(config, choice.clusters)
    if not config.clusters:
        raise UsageError(
            f"there is no cluster in {config.path}", hint="sealkit clusters add NAME --context CTX"
        )
    if not config.rules or (target is None and len(config.clusters) == 1):
        return tuple(config.clusters)
    if target is None:
        raise UsageError(
            "the rules depend on where the manifest will be", hint="pass -o FILE or --as PATH"
        )
    raise PolicyError(
        f"no rule in {config.path} covers {target}", hint="add one under rules: paths, clusters"
    )


def _known(config: Config, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in config.clusters:
            known = ", ".join(config.clusters) or "none"
            raise UsageError(f"there is no cluster {name!r} in {config.path}, expected {known}")
    return names


def _pinned(app: App, config: Config, name: str) -> Recipient:
    cluster = config.clusters[name]
    path = config.folder / cluster.recipient
    recipient = pinned_recipient(path, cluster.kid, cluster.not_after, app.today())
    return Recipient(name, recipient.key, recipient.not_after)
