"""Who may read a manifest: the decision of the configuration, made once for every writing verb."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from sealkit.cli.app import App
from sealkit.config import NAME, Config, find_config
from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PublicKey
from sealkit.errors import PolicyError, SealkitError, UsageError
from sealkit.keystore import load_recipient, pinned_recipient, unpinned_recipient
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret


class Choice(NamedTuple):
    """What the user asked for: cluster names, recipient files, or nothing in particular."""

    clusters: tuple[str, ...] = ()
    recipient_files: tuple[str, ...] = ()


class Audience(NamedTuple):
    """The clusters that may open a manifest and the scopes it may have.

    `lacking` is why there are no keys: an error only for those who need one. A manifest that only
    refers to Vault needs none.
    """

    recipients: tuple[Recipient, ...]
    scopes: tuple[Scope, ...] = tuple(Scope)
    lacking: SealkitError | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The clusters, in the order of the configuration."""
        return tuple(recipient.cluster for recipient in self.recipients)

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys to seal for, one a cluster.

        Raises:
            SealkitError: there is none; see `audience_for`.
        """
        self.check_keys()
        return tuple(recipient.key for recipient in self.recipients)

    def check_keys(self) -> None:
        """Refuse to go on without keys.

        Raises:
            SealkitError: there is none; see `audience_for`.
        """
        if self.lacking:
            raise self.lacking

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
                who = ", ".join(f"{kid[:8]}…" for kid in sorted(envelope.wraps))
                raise PolicyError(
                    f"opens with {who}, but is to open in {', '.join(self.names)}",
                    field=f"spec.envelopes.{eid}.wraps",
                    hint="sealkit rewrap brings it in line, or seal the Secret again",
                )


def audience_for(app: App, target: str | None, choice: Choice) -> Audience:
    """Decide who may read the file `target`; None means that nobody knows where it will go.

    Where it is not clear which keys there are, or one of them is wrong or expired, the audience
    says so when it is asked for them.

    Raises:
        PolicyError: the request contradicts the configuration, or no rule covers the file.
        ConfigError: the configuration or a recipient file that was asked for is wrong.
        UsageError: a cluster that was asked for is not known.
    """
    config = find_config(os.path.dirname(target) if target else app.folder)
    if config is None:
        return _audience(lambda: _without_config(app, choice))
    wanted = _wanted(app, config, choice)
    rule = config.rule_for(target) if target else None
    if rule is None:
        _check_covered(app, config, target)
        return _audience(lambda: _pinned(app, config, _without_rule(app, config, wanted)))
    if wanted and set(wanted) != set(rule.clusters):
        what = f"is to be sealed for {', '.join(rule.clusters)}, not for {', '.join(wanted)}"
        hint = f"the first rule in {app.shown(config.path)} that covers the file decides"
        raise PolicyError(what, hint=hint).located(file=str(target))
    return _audience(lambda: _pinned(app, config, rule.clusters), rule.scopes)


def _audience(
    find: Callable[[], tuple[Recipient, ...]], scopes: tuple[Scope, ...] = tuple(Scope)
) -> Audience:
    try:
        return Audience(find(), scopes)
    except SealkitError as error:
        return Audience((), scopes, error)


def _without_config(app: App, choice: Choice) -> tuple[Recipient, ...]:
    if choice.clusters or not choice.recipient_files:
        raise UsageError(
            f"there is no {NAME} here or above",
            hint="sealkit init, then sealkit clusters add; or pass --recipient FILE",
        )
    paths = (app.path(name) for name in dict.fromkeys(choice.recipient_files))
    return tuple(unpinned_recipient(path, app.today()) for path in paths)


def _wanted(app: App, config: Config, choice: Choice) -> tuple[str, ...]:
    """Return the clusters asked for by name or by file; none means that the rules decide."""
    names = {}
    for name in choice.clusters:
        if name not in config.clusters:
            known = ", ".join(config.clusters) or "none"
            where = app.shown(config.path)
            raise UsageError(f"there is no cluster {name!r} in {where}, expected {known}")
        names[name] = True
    for file in choice.recipient_files:
        names[_name_of(app, config, app.path(file))] = True
    return tuple(names)


def _name_of(app: App, config: Config, path: str) -> str:
    kid = load_recipient(path).key.kid
    for cluster in config.clusters.values():
        if cluster.kid == kid:
            return cluster.name
    raise PolicyError(
        f"key {kid} is not pinned in {app.shown(config.path)}",
        hint=f"sealkit clusters add NAME {app.shown(path)}",
    ).located(file=path)


def _check_covered(app: App, config: Config, target: str | None) -> None:
    """Refuse a file that no rule covers, where there are rules and something to seal for."""
    if config.clusters and config.rules and target is not None:
        hint = "add one under rules, with paths and clusters"
        what = f"no rule in {app.shown(config.path)} covers it"
        raise PolicyError(what, hint=hint).located(file=str(target))


def _without_rule(app: App, config: Config, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the clusters for a file that no rule covers, or whose place is not known."""
    if not config.clusters:
        hint = "sealkit clusters add NAME --context CTX"
        raise UsageError(f"there is no cluster in {app.shown(config.path)}", hint=hint)
    if config.rules and not wanted and len(config.clusters) > 1:
        hint = "pass -o FILE or --as PATH"
        raise UsageError("the rules depend on where the manifest will be", hint=hint)
    return wanted or tuple(config.clusters)


def _pinned(app: App, config: Config, names: tuple[str, ...]) -> tuple[Recipient, ...]:
    recipients = []
    for name in names:
        cluster = config.clusters[name]
        found = pinned_recipient(
            config.file_of(cluster), cluster.kid, cluster.not_after, app.today()
        )
        recipients.append(Recipient(name, found.key, found.not_after))
    return tuple(recipients)
