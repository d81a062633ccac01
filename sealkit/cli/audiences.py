"""Who may read each of many manifests: every configuration and every key is read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from sealkit.cli.app import App
from sealkit.cli.audience import Audience, Choice, audience_for
from sealkit.config import Configs, Rule

_NOTHING: Final = Choice()


class Audiences:
    """The decisions of the configurations above any number of files, remembered."""

    def __init__(self, app: App, choice: Choice = _NOTHING) -> None:
        """Decide in the world of `app` what was chosen; nothing is read yet."""
        self._app = app
        self._choice = choice
        self._configs = Configs()
        self._audiences: dict[tuple[str, Rule | None], Audience] = {}

    def of(self, target: str) -> Audience:
        """Return who may read the file `target`, all links followed.

        Raises:
            SealkitError: as `audience_for`.
        """
        config = self._configs.above(os.path.dirname(target))
        rule = config.rule_for(target) if config else None
        if config is None or (config.rules and rule is None):
            return audience_for(self._app, target, self._choice)
        key = (config.path, rule)
        if key not in self._audiences:
            self._audiences[key] = audience_for(self._app, target, self._choice)
        return self._audiences[key]

    def names(self, target: str) -> Mapping[str, str]:
        """Return the names of the clusters that the configuration of a file knows, by key id."""
        config = self._configs.above(os.path.dirname(target))
        return {one.kid: one.name for one in config.clusters.values()} if config else {}
