"""What an account really asked of the API server, from the server's own audit log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.apiserver import ApiServer
from tests.cluster.controlplane import ControlPlane
from tests.packaging.rights import Right

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver", "system:kube-controller-manager"]
- level: Metadata
"""
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Use:
    """One request: the rights it took, its answer, and its path."""

    rights: frozenset[Right]
    status: int
    path: str

    @property
    def is_write(self) -> bool:
        """Whether it asked for a change."""
        return any(right.verb in _WRITES for right in self.rights)

    @property
    def namespace(self) -> str:
        """The namespace it was about, empty for all of them."""
        return min(self.rights).namespace if self.rights else ""


@dataclass(frozen=True)
class Audited:
    """A running API server and its audit log."""

    server: ApiServer
    log: Path

    def uses(self, user: str) -> Iterator[Use]:
        """Yield what a user has asked for so far, in the order of the answers."""
        with self.log.open() as lines:
            for line in lines:
                if line.endswith("\n"):  # the last one may be half written
                    event = json.loads(line)
                    if event["user"]["username"] == user:
                        yield _use(event)


def audited(plane: ControlPlane, folder: Path) -> Audited:
    """Start the API server of `plane` again with an audit log in `folder`, where it runs."""
    (folder / "audit.yaml").write_text(POLICY)
    manager, part = plane.controller_manager, plane.kube_apiserver
    assert manager is not None
    manager.kill()  # else it would take half a minute to find its server again
    part.kill()
    flags = ("--audit-policy-file=audit.yaml", "--audit-log-path=audit.log")
    part.command = (*part.command, *flags)
    part.start()
    manager.start()
    return Audited(plane.api_server, folder / "audit.log")


def _use(event: dict[str, Any]) -> Use:
    status = event.get("responseStatus", {}).get("code", 0)
    target = event.get("objectRef")
    rights: set[Right] = set()
    if target:
        resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
        right = Right(
            target.get("namespace", ""),
            target.get("apiGroup", ""),
            resource,
            event["verb"],
            target.get("name", ""),
        )
        rights.add(right)
        if event["verb"] == "patch" and status == 201:  # an apply of what was not there
            rights.add(right._replace(verb="create"))
    return Use(frozenset(rights), status, event["requestURI"])
