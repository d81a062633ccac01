"""`sealkit demo`: the whole journey on this machine, each command printed with what came of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from sealkit.cli.app import App
from sealkit.cli.openbao import OpenBao, running_openbao
from sealkit.cli.sandbox import running_cluster
from sealkit.cli.story import STORY, VAULT_STORY, Chapter, Step
from sealkit.errors import SealkitError
from sealkit.files import PRIVATE_MODE, write_atomically

_STEP_SECONDS: Final = 60
_TOOLS: Final = {
    "kubectl": "install kubectl, or run `make demo` in a checkout of sealkit",
    "git": "install git",
}


@click.command("demo")
@click.pass_obj
def demo_command(app: App) -> None:
    """Seal, commit, sync, change, repair, revert and refuse: on an API server in this process.

    Works in a temporary folder and leaves nothing behind.
    """
    path = f"{Path(sys.executable).parent}:{app.environment.get('PATH', '')}"
    for tool, hint in _TOOLS.items():
        if shutil.which(tool, path=path) is None:
            raise SealkitError(f"{tool} is not on PATH", hint=hint)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sealkit-demo-") as name, ExitStack() as stack:
        folder = Path(name)
        vault = _vault(stack, path, folder)
        listed = (vault.address,) if vault else ()
        server, _ = stack.enter_context(running_cluster(vaults=listed))
        kubeconfig = folder / "kubeconfig"
        write_atomically(kubeconfig, server.kubeconfig().encode(), mode=PRIVATE_MODE)
        (folder / "ca.pem").write_bytes(server.ca_pem)
        repository = folder / "repository"
        repository.mkdir()
        app.say(f"A Kubernetes API server and the sealkit controller run at {server.url}.")
        environment = _environment(app, path, kubeconfig)
        if vault:
            app.say(f"An OpenBao server, which speaks the API of Vault, runs at {vault.address}.")
            environment |= {"BAO_ADDR": vault.address, "BAO_TOKEN": vault.token}
            tell(app, repository, environment, (*STORY, *VAULT_STORY))
        else:
            tell(app, repository, environment, STORY)
            app.say("\nWhat Vault adds was left out: bao is not on PATH.")
    app.say("")
    app.say(f"That was all of it, in {time.monotonic() - started:.0f} s. Next: README.md")


def _vault(stack: ExitStack, path: str, folder: Path) -> OpenBao | None:
    binary = shutil.which("bao", path=path)
    if binary is None:
        return None
    place = folder / "openbao"
    place.mkdir()
    return stack.enter_context(running_openbao(binary, place))


def _environment(app: App, path: str, kubeconfig: Path) -> dict[str, str]:
    """Return what the commands see: nothing of the user's own git or kubectl configuration."""
    person = {"NAME": "Demo", "EMAIL": "demo@example.com"}
    return {
        "PATH": path,
        "HOME": str(kubeconfig.parent),
        "KUBECONFIG": str(kubeconfig),
        "LANG": app.environment.get("LANG", "C.UTF-8"),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_{key}": person[key] for role in ("AUTHOR", "COMMITTER") for key in person},
    }


def tell(app: App, folder: Path, environment: Mapping[str, str], story: Iterable[Chapter]) -> None:
    """Run the story in a folder.

    Raises:
        SealkitError: a command failed, or its output is not what the story promises.
    """
    for number, chapter in enumerate(story, start=1):
        app.say(f"\n{_bold(app, f'{number}. {chapter.title}')}")
        for step in chapter.steps:
            app.say("  $ " + step.command.replace("\n", "\n    "))
            for line in _run(step, folder, environment).splitlines():
                app.say(f"    {line}")


def _run(step: Step, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S602 (commands of our own story, shown to the reader as typed)
        step.command,
        shell=True,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_STEP_SECONDS,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    if done.returncode or step.expect not in output:
        wanted = f"expected {step.expect!r}" if step.expect else "expected success"
        raise SealkitError(f"the demo went wrong at: {step.command}\n{output}{wanted}")
    return output


def _bold(app: App, text: str) -> str:
    plain = not app.stderr.isatty() or "NO_COLOR" in app.environment
    return text if plain else f"\x1b[1m{text}\x1b[0m"
