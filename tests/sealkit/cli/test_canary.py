"""A marked secret goes through every verb, in fair weather and foul, and shows nowhere."""

from __future__ import annotations

import base64
import errno
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from sealkit.cli.main import cli
from sealkit.manifests.emit import emit_yaml
from tests.fakes.vault_admin import Admin
from tests.sealkit.cli.desk import CANARY, Closed, Desk, Result, key_of, secret_text
from tests.sealkit.test_git import ENVIRONMENT
from tests.vectors.bitnami import CERTIFICATE

Case = Callable[[Desk], Result]

SECRET = secret_text(PASSWORD=CANARY, USER="app")
ENCODED = base64.b64encode(CANARY.encode()).decode()
IN_DATA = SECRET.replace("stringData", "data").replace(CANARY, ENCODED).replace(": app", ": YXBw")
SEALED, KEYS = "db.yaml", "prod.yaml"

# Each way the mark could be spelt in something that is printed.
SPELLINGS = (CANARY, ENCODED, CANARY.encode().hex(), repr(CANARY.encode())[2:-1])


def seal(text: str, *arguments: str) -> Case:
    return lambda desk: desk.run("seal", *arguments, stdin=text)


def change(text: str, *arguments: str) -> Case:
    return lambda desk: desk.run("set", SEALED, *arguments, stdin=text)


def typed(*arguments: str) -> Case:
    return lambda desk: desk.run("set", SEALED, *arguments, answer=CANARY)


def unseal(old: str, new: str, *keys: str) -> Case:
    def run(desk: Desk) -> Result:
        text = desk.read(SEALED).replace(old, new)
        paths = [desk.key_file(*(keys or ("prod",)))]
        return desk.run("unseal", "--key", *paths, "-o", "plain.yaml", stdin=text)

    return run


def with_key_text(make: Callable[[str], str]) -> Case:
    """Open with a key file in which the seed stands, and something is wrong with it."""

    def run(desk: Desk) -> Result:
        path = desk.key_file("prod")
        path.write_text(make(path.read_text()))
        return desk.run("unseal", SEALED, "--key", path)

    return run


def restoring(make: Callable[[str], str]) -> Case:
    """Try a backup in which the seed stands, and something may be wrong with it."""

    def run(desk: Desk) -> Result:
        path = desk.key_file("prod")
        path.write_text(make(path.read_text()))
        where = ("--manifests", ".", "--identity", path)
        return desk.run("keys", "restore", "--dry-run", path, *where)

    return run


def drifted(case: Case) -> Case:
    def run(desk: Desk) -> Result:
        desk.config(clusters={"prod": desk.entry("prod")})
        return case(desk)

    return run


def value_file(desk: Desk) -> Result:
    path = desk.keys_folder / "value"
    path.write_text(CANARY)
    return desk.run("set", SEALED, "--from-file", f"PASSWORD={path}")


def nested(depth: int) -> str:
    return json.dumps(yaml.safe_load(SECRET) | {"x": None}).replace("null", "[" * depth)


REFERENCE = "vault:kv/canary/db#PASSWORD"


def referring(text: str, *arguments: str) -> Case:
    """A verb on a manifest with a reference and a sealed value."""

    def run(desk: Desk) -> Result:
        desk.ok("seal", "-o", SEALED, stdin=secret_text(A=REFERENCE, PASSWORD=CANARY))
        verb, *rest = arguments
        return desk.run(*verb.split(), SEALED, *rest, stdin=text)

    return run


def check(text: str, *arguments: str) -> Case:
    return lambda desk: desk.run("vault", "check", *arguments, stdin=text)


def push(text: str, *arguments: str, to: str = "kv/canary/push") -> Case:
    return lambda desk: desk.run("vault", "push", "--to", to, *arguments, stdin=text)


def as_nobody(case: Case) -> Case:
    """Ask with the mark for a token."""

    def run(desk: Desk) -> Result:
        desk.environment["VAULT_TOKEN"] = CANARY
        return case(desk)

    return run


def of_value(modifiers: str, name: str = "A", more: str = "") -> str:
    """A Secret whose value in Vault does not fit what is done with it."""
    return secret_text(**{name: f"{REFERENCE} | {modifiers}"}) + more


USERS = {"htpasswd": {"users": [{"username": "A", "password": "A"}]}}


def making(template: dict[str, object]) -> Case:
    """Check a manifest that makes something of the value."""

    def run(desk: Desk) -> Result:
        raw = yaml.safe_load(desk.ok("seal", stdin=secret_text(A=REFERENCE)).out)
        raw["spec"]["template"] |= template
        return desk.run("vault", "check", stdin=emit_yaml(raw))

    return run


def twice(case: Case) -> Case:
    def run(desk: Desk) -> Result:
        case(desk)
        return case(desk)

    return run


DOCKER = "type: kubernetes.io/dockerconfigjson\n"

CASES: dict[str, Case] = {
    "seal": seal(SECRET),
    "seal-data": seal(IN_DATA),
    "seal-json": seal(json.dumps(yaml.safe_load(SECRET))),
    "seal-report": seal(SECRET, "-o", "new.yaml", "--json"),
    "seal-raw": seal(CANARY, "--raw", "PASSWORD", "--name", "db", "-n", "shop"),
    "seal-raw-bad-key": seal(CANARY, "--raw", "a b", "--name", "db", "-n", "shop"),
    "seal-raw-no-namespace": seal(CANARY, "--raw", "a", "--name", "db"),
    "seal-not-base64": seal(SECRET.replace("stringData", "data")),
    "seal-not-a-string": seal(SECRET.replace(CANARY, f"[{CANARY}]")),
    "seal-mapping-for-a-value": seal(SECRET.replace(CANARY, f"{{{CANARY}: {CANARY}}}")),
    "seal-list-for-data": seal(SECRET.replace("PASSWORD:", "- PASSWORD:")),
    "seal-syntax": seal(f"{SECRET}  bad: [\n"),
    "seal-syntax-in-value": seal(SECRET.replace(CANARY, f'"{CANARY}')),
    "seal-tag": seal(SECRET.replace(CANARY, f"!!python/name:{CANARY} x")),
    "seal-tagged-value": seal(SECRET.replace(CANARY, f"!!int {CANARY}")),
    "seal-alias": seal(SECRET.replace(CANARY, f"*{CANARY}")),
    "seal-anchor": seal(SECRET.replace(CANARY, f"&x {CANARY}")),
    "seal-duplicate": seal(f"{SECRET}  PASSWORD: {CANARY}\n"),
    "seal-control-character": seal(SECRET.replace(CANARY, f"{CANARY}\x01")),
    "seal-nested": seal(nested(2000)),
    "seal-json-syntax": seal(json.dumps(yaml.safe_load(SECRET))[:-2]),
    "seal-json-twice": seal('{"a": "' + CANARY + '", "a": 1}'),
    "seal-json-number": seal('{"kind": "Secret", "data": ' + CANARY + "}"),
    "seal-unknown-field": seal(SECRET + "datum: {}\n"),
    "seal-type-rule": seal(SECRET.replace("PASSWORD", ".dockerconfigjson") + DOCKER),
    "seal-refused-type": seal(SECRET + "type: bootstrap.kubernetes.io/token\n"),
    "seal-bad-name": seal(SECRET.replace("name: db", "name: D_B")),
    "seal-bad-data-key": seal(SECRET.replace("PASSWORD", "pass word")),
    "seal-namespace-conflict": seal(SECRET, "-n", "stage"),
    "seal-unknown-cluster": seal(SECRET, "-c", "none"),
    "seal-nowhere": seal(SECRET, "-o", "none/x.yaml"),
    "seal-too-large": seal(SECRET.replace(CANARY, CANARY * 50_000)),
    "seal-full-disk": lambda desk: desk.run(
        "seal", stdin=SECRET, stdout=Closed(OSError(errno.ENOSPC, "full"))
    ),
    "set": change(CANARY, "PASSWORD"),
    "set-line-break": change(f"{CANARY}\n", "PASSWORD"),
    "set-report": change(CANARY, "PASSWORD", "--json"),
    "set-file": value_file,
    "set-typed": typed("PASSWORD"),
    "set-typed-elsewhere": typed("PASSWORD", "-o", "none/x.yaml"),
    "set-argument": typed(f"PASSWORD={CANARY}"),
    "set-argument-beside": typed("PASSWORD", f"{CANARY}!"),
    "set-drift": drifted(change(CANARY, "PASSWORD")),
    "set-two": change(CANARY, "PASSWORD", "USER"),
    "unset": lambda desk: desk.run("unset", SEALED, "PASSWORD"),
    "unset-argument": lambda desk: desk.run("unset", SEALED, f"PASSWORD={CANARY}"),
    "inspect": lambda desk: desk.run("inspect", SEALED, "--json"),
    "inspect-plain": lambda desk: desk.run("inspect", stdin=SECRET),
    "unseal-other-key": unseal("", "", "lab"),
    "unseal-moved": unseal("namespace: shop", "namespace: stage"),
    "unseal-renamed-key": unseal("PASSWORD: ", "OTHER: "),
    "unseal-other-type": unseal("type: Opaque", "type: kubernetes.io/ssh-auth"),
    "unseal-docker-type": lambda desk: unseal(
        "type: Opaque", "type: kubernetes.io/dockerconfigjson"
    )(with_docker(desk)),
    "key-damaged": with_key_text(lambda text: text.replace("seed: ", "seed: A")),
    "key-cut": with_key_text(lambda text: text[: text.index("seed") + 30]),
    "key-unquoted": with_key_text(lambda text: text.replace("seed: ", "seed: [")),
    "key-wrong-suite": with_key_text(lambda text: text.replace("suite: ", "suite: AAAA")),
    "key-renamed": with_key_text(lambda text: text.replace("seed: ", "sead: ")),
}


def private(desk: Desk, text: str = SECRET, name: str = "value") -> Path:
    """A file beside the repository that holds the mark."""
    path = desk.keys_folder / name
    path.write_text(text)
    return path


def plain(*arguments: str, text: str = "", key: str = "", answer: str | None = None) -> Case:
    """A verb as it is typed, with a key file if `key` names a cluster."""

    def run(desk: Desk) -> Result:
        keys = ("--key", desk.key_file(key)) if key else ()
        return desk.run(*arguments, *keys, stdin=text, answer=answer)

    return run


def of_private(*arguments: str, text: str = SECRET) -> Case:
    """A verb and a file with the mark in it."""
    return lambda desk: desk.run(*arguments, private(desk, text))


def renewed(*arguments: str, key: str = "prod") -> Case:
    """A verb on a manifest that a cluster more is to read."""

    def run(desk: Desk) -> Result:
        desk.recipient("lab")
        desk.config(clusters={name: desk.entry(name) for name in ("prod", "staging", "lab")})
        return plain(*arguments, key=key)(desk)

    return run


def edited(commands: str, *, key: str = "") -> Case:
    """An editor that leaves what shell commands make of `$1`."""

    def run(desk: Desk) -> Result:
        program = private(desk, f"#!/bin/sh\n{commands}\n", "editor")
        program.chmod(0o700)
        desk.environment |= {"SEALKIT_EDITOR": str(program), "PATH": os.environ["PATH"]}
        return plain("edit", SEALED, "--allow-disk", key=key)(desk)

    return run


def committed(*arguments: str) -> Case:
    """A verb in a repository whose manifest was changed."""

    def run(desk: Desk) -> Result:
        desk.environment |= ENVIRONMENT
        for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "x")):
            subprocess.run(["git", *words], cwd=desk.folder, env=ENVIRONMENT, check=True)
        desk.ok("set", SEALED, "PASSWORD", stdin=CANARY)
        return desk.run(*arguments)

    return run


def merged() -> Case:
    """Both sides changed the value."""

    def run(desk: Desk) -> Result:
        desk.environment |= ENVIRONMENT
        for name in ("base", "theirs"):
            desk.write(name, desk.read(SEALED))
        desk.ok("set", "theirs", "PASSWORD", stdin=f"{CANARY}-theirs")
        desk.ok("set", SEALED, "PASSWORD", stdin=CANARY)
        return desk.run("git", "merge-driver", "base", SEALED, "theirs")

    return run


def exported(key: str, *arguments: str) -> Case:
    words = ("export", "--to", "bitnami", "--cert", str(CERTIFICATE))
    return plain(*words, *arguments, SEALED, key=key)


PUT = f"sed -i 's|^  PASSWORD: .*|  PASSWORD: {CANARY}-2|' \"$1\""
CASES |= {
    "set-many": plain("set", "-f", ".", "PASSWORD", text=CANARY),
    "set-many-add": plain("set", "-f", ".", "--add", "NEW", "--json", text=CANARY),
    "set-many-typed": plain("set", "-f", ".", "PASSWORD", answer=CANARY),
    "set-many-check": plain("set", "-f", ".", "--check", "PASSWORD", text=CANARY),
    "set-many-nowhere": plain("set", "-f", ".", "NONE", text=CANARY),
    "set-many-argument": plain("set", "-f", ".", f"PASSWORD={CANARY}"),
    "set-many-argument-beside": plain("set", "-f", ".", "PASSWORD", f"{CANARY}!"),
    "set-many-drift": drifted(plain("set", "-f", ".", "PASSWORD", text=CANARY)),
    "set-env-file": change(f"PASSWORD={CANARY}\n", "--from-env-file", "-"),
    "set-env-file-wrong": change(f"PASSWORD='{CANARY}\n", "--from-env-file", "-"),
    "set-json": change(json.dumps({"PASSWORD": CANARY}), "--from-json", "-"),
    "set-json-wrong": change(json.dumps({"PASSWORD": [CANARY]}), "--from-json", "-"),
    "unset-many": plain("unset", "-f", ".", "PASSWORD"),
    "create": plain("create", "x", "-n", "a", "--from-literal-stdin", "P", text=CANARY),
    "create-env-file": plain("create", "x", "-n", "a", "--from-env-file", "-", text=f"P={CANARY}"),
    "create-env-file-wrong": plain("create", "x", "-n", "a", "--from-env-file", "-", text=CANARY),
    "create-argument": plain("create", "x", "-n", "a", "--from-literal-stdin", f"P={CANARY}"),
    "rewrap": renewed("rewrap", "."),
    "rewrap-other-key": renewed("rewrap", ".", key="lab"),
    "reseal": plain("reseal", ".", key="prod"),
    "reseal-other-key": plain("reseal", ".", key="lab"),
    "compact": plain("compact", ".", key="prod"),
    "edit": edited(PUT, key="prod"),
    "edit-without-key": edited(PUT),
    "edit-nothing": edited("exit 0", key="prod"),
    "edit-wrong": edited(f"{PUT}; echo '  {CANARY}' >> \"$1\"", key="prod"),
    "edit-fails": edited("exit 3", key="prod"),
    "view-other-key": plain("view", SEALED, key="lab"),
    "view-no-such-value": plain("view", SEALED, "NONE", key="prod"),
    "run-other-key": lambda desk: desk.run(
        "run", SEALED, "--key", desk.key_file("lab"), "--", "true"
    ),
    "run-no-variable": lambda desk: desk.run(
        "run", SEALED, "--key", desk.key_file("prod"), "--prefix", "0", "--", "/bin/true"
    ),
    "diff": committed("diff"),
    "diff-json": committed("diff", "--json"),
    "git-textconv": plain("git", "textconv", SEALED),
    "git-merge-driver": merged(),
    "verify": plain("verify", SEALED),
    "verify-json": plain("verify", SEALED, "--format", "json"),
    "verify-plain": of_private("verify"),
    "scan": of_private("scan"),
    "scan-json": of_private("scan", "--format", "json"),
    "scan-sarif": of_private("scan", "--format", "sarif"),
    "import": plain("import", "--secrets", text=SECRET),
    "import-not-base64": plain("import", "--secrets", text=SECRET.replace("stringData", "data")),
    "export": exported("prod"),
    "export-other-key": exported("lab"),
    "keys-restore": restoring(lambda text: text),
    "keys-restore-damaged": restoring(lambda text: text.replace("seed: ", "seed: A")),
    "keys-restore-mixed-up": restoring(lambda text: text.replace("seed: ", "kid: ")),
    "keys-restore-no-yaml": restoring(lambda text: text.replace("seed: ", 'seed: "')),
    "clusters-add-a-private-key": lambda desk: desk.run(
        "clusters", "add", "x", desk.key_file("prod")
    ),
    "config-check-of-a-secret": lambda desk: desk.run("config", "check", private(desk)),
}
# What is not in the tables above, and why that is right.
EXCEPTIONS = {
    "clusters list": "reads recipients, which are public",
    "clusters remove": "reads the configuration, and no key",
    "completion bash": "prints a script",
    "completion candidates": "completes names; tests of its own have the mark",
    "completion fish": "prints a script",
    "completion kubectl": "prints a script",
    "completion powershell": "prints a script",
    "completion zsh": "prints a script",
    "config explain": "reads the configuration, not the file",
    "config schema": "prints a schema",
    "demo": "makes its own secrets, in a folder and a cluster of its own",
    "doctor": "looks at programs and the configuration; tests of its own have the mark",
    "git install": "sets what Git runs",
    "git uninstall": "sets what Git runs",
    "init": "writes a configuration without anything in it",
    "keys backup": "asks a cluster; tests of its own look for the keys",
    "keys compromised": "asks a cluster; tests of its own look for the keys",
    "keys retire": "asks a cluster; tests of its own look for the keys",
    "keys status": "asks a cluster for public parts only",
    "keys usage": "asks a cluster for public parts only",
    "policy": "prints policies",
    "recover": "asks a cluster for what is sealed",
    "sandbox": "serves what it is given: tests of the sandbox have the mark",
    "version": "prints versions",
}

BAD_REFERENCES = {
    "no-key": f"vault:{CANARY}",
    "no-end": f"${{vault:kv/a#b {CANARY}",
    "modifier": f"vault:kv/a#b | {CANARY}",
    "path": f"vault:kv//{CANARY}#b",
    "argocd": f"<path:{CANARY}",
    "two": f"vault:kv/a#b${{vault:{CANARY}}}",
    "body": f">>vault:kv/a#b#{CANARY}",
    "version": f"vault:kv/a#b#{CANARY}",
    "long": f"vault:{CANARY * 100}#b",
}
# What resolves a reference, or moves a value to Vault: these need a server.
VAULT_CASES: dict[str, Case] = {
    **{f"seal-reference-{name}": seal(secret_text(A=bad)) for name, bad in BAD_REFERENCES.items()},
    **{f"check-{name}": check(secret_text(A=bad)) for name, bad in BAD_REFERENCES.items()},
    **{f"push-{name}": push(secret_text(A=bad)) for name, bad in BAD_REFERENCES.items()},
    "seal-literally": seal(secret_text(A=f"vault:{CANARY}"), "--no-references"),
    "seal-mixture": seal(secret_text(A=REFERENCE, PASSWORD=CANARY)),
    "seal-bad-annotation": seal(
        SECRET.replace(
            "namespace: shop", "namespace: shop\n  annotations: {avp.kubernetes.io/path: a//b}"
        )
    ),
    "set-on-reference": referring(CANARY, "set", "A"),
    "set-reference": referring("", "set", "--reference", "B=vault:kv/a#b"),
    "set-reference-is-a-value": referring("", "set", "--reference", f"B={CANARY}"),
    "set-reference-is-wrong": referring("", "set", "--reference", f"B=vault:{CANARY}"),
    "set-reference-has-no-key": referring("", "set", "--reference", CANARY),
    "unset-reference": referring("", "unset", "A"),
    "inspect-reference": referring("", "inspect"),
    "inspect-reference-json": referring("", "inspect", "--json"),
    "check": check(secret_text(A=REFERENCE, B=CANARY)),
    "check-json": check(secret_text(A=REFERENCE, B=CANARY), "--json"),
    "check-in-part": referring("", "vault check"),
    "check-not-base64": check(of_value("base64decode")),
    "check-not-json": check(of_value("jsonParse")),
    "check-not-yaml": check(of_value("base64encode | yamlParse | jsonPath {.a}")),
    "check-not-json-in-json": check(of_value("jsonParse"), "--json"),
    "check-type": check(of_value("indent 1", ".dockerconfigjson", DOCKER)),
    "check-builder": making({"build": {"dockerConfigJson": {"registries": []}}}),
    "check-builder-tls": making({"build": {"tls": {"certificate": "A", "key": "A"}}}),
    "check-text": making({"data": {"B": "{{ .A }}"}}),
    "check-text-fails": making({"data": {"B": "{{ index .A 500 }}{{ fromJson .A }}"}}),
    "check-as-nobody": as_nobody(check(secret_text(A=REFERENCE))),
    "check-wrong-store": check(secret_text(A=REFERENCE), "--store-file", "none.yaml"),
    "push": push(SECRET),
    "push-data": push(IN_DATA),
    "push-again": twice(push(SECRET)),
    "push-report": push(SECRET, "-o", "new.yaml", "--json"),
    "push-dry": push(SECRET, "--dry-run", "--json", to="kv/canary/db"),
    "push-old": push(SECRET, to="old/canary/db"),
    "push-nowhere": push(SECRET, to="none/canary"),
    "push-sys": push(SECRET, to="sys/canary"),
    "push-pki": push(SECRET, to="pki/canary"),
    "push-as-nobody": as_nobody(push(SECRET)),
    "push-no-file": push(SECRET, "-o", "none/x.yaml"),
    "push-not-base64": push(SECRET.replace("stringData", "data")),
    "push-type": push(SECRET.replace("PASSWORD", ".dockerconfigjson") + DOCKER),
    "push-no-namespace": push(SECRET.replace("namespace: shop", "labels: {}")),
    "push-path": push(SECRET, to=f"kv//{CANARY}"),
}


def with_docker(desk: Desk) -> Desk:
    """A manifest whose value is what no Docker configuration is."""
    desk.ok("seal", "-o", SEALED, stdin=SECRET.replace("PASSWORD", ".dockerconfigjson"))
    return desk


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_secret_shows_nowhere(desk: Desk, case: Case) -> None:
    desk.ok("seal", "-o", SEALED, stdin=SECRET)
    check_nothing_shows(desk, case(desk))


@pytest.fixture
def with_vault(desk: Desk, vault: Admin) -> Desk:
    """The desk of a server that holds the mark."""
    vault.do("POST", "kv/data/canary/db", {"data": {"PASSWORD": CANARY}})
    desk.ok("seal", "-o", SEALED, stdin=SECRET)
    return desk


@pytest.mark.parametrize("case", VAULT_CASES.values(), ids=VAULT_CASES.keys())
def test_a_secret_in_vault_shows_nowhere(with_vault: Desk, case: Case) -> None:
    result = case(with_vault)
    assert "internal error" not in result.err
    check_nothing_shows(with_vault, result)


def check_nothing_shows(desk: Desk, result: Result) -> None:
    """Look for the mark and for keys in all that was printed and written."""
    seeds = [key_of(name).seed.reveal() for name in ("prod", "staging", "lab")]
    for seed in seeds:
        text = base64.b64encode(seed).decode()
        for spelling in (text, text[:20], seed.hex()):
            assert spelling not in result.err + result.out
    for spelling in SPELLINGS:
        assert spelling not in result.err + result.out
        for name, content in desk.files().items():
            assert spelling.encode() not in content, name
    assert not [name for name in desk.files() if name.endswith(".tmp")]


@dataclass
class Recording(Desk):
    """A desk that knows which verbs were run at it."""

    verbs: set[str] = field(default_factory=set)

    def run(self, *arguments: str | Path, **world: Any) -> Result:
        words = [str(one) for one in arguments]
        pair = " ".join(words[:2])
        self.verbs.add(pair if pair in VERBS else words[0])
        return super().run(*arguments, **world)


def verbs_below(group: click.Group, context: click.Context, *names: str) -> Iterator[str]:
    """Yield every verb of a group, with the names of the groups that it is in."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from verbs_below(command, context, *names, name)
        else:
            yield " ".join((*names, name))


VERBS = frozenset(verbs_below(cli, click.Context(cli)))
WITH_VAULT = {"vault check", "vault push"}


def test_the_cases_are_what_they_say(desk: Desk) -> None:
    """Most of the cases fail, each as a refusal and none as a bug; no verb is forgotten."""
    codes, verbs = {}, set[str]()
    for name, case in CASES.items():
        here = Recording(desk.folder, desk.keys_folder)
        desk.config()
        desk.ok("seal", "-o", SEALED, stdin=SECRET)
        result = case(here)
        codes[name] = result.code
        verbs |= here.verbs
        assert "internal error" not in result.err, name
        assert "error: missing" not in result.err, name
        assert "no such option" not in result.err, name
    good = {name for name, code in codes.items() if code == 0}
    assert good == {
        *("seal", "seal-data", "seal-json", "seal-report", "seal-raw"),
        *("set", "set-line-break", "set-report", "set-file", "set-typed", "unset", "inspect"),
        *("set-many", "set-many-add", "set-many-typed", "set-env-file", "set-json", "unset-many"),
        *("create", "create-env-file", "rewrap", "reseal", "compact", "export", "import"),
        *("edit", "edit-without-key", "edit-nothing", "diff", "diff-json", "git-textconv"),
        *("verify", "verify-json", "verify-plain", "keys-restore"),
    }
    check_no_verb_is_forgotten(verbs)


def check_no_verb_is_forgotten(verbs: set[str]) -> None:
    """A new verb gets cases, or a reason to need none."""
    assert verbs | EXCEPTIONS.keys() | WITH_VAULT == VERBS
    assert not verbs & EXCEPTIONS.keys(), "has cases, and needs no exception"


def test_the_cases_with_vault_are_what_they_say(with_vault: Desk) -> None:
    codes, verbs = {}, set[str]()
    for name, case in VAULT_CASES.items():
        here = Recording(with_vault.folder, with_vault.keys_folder, dict(with_vault.environment))
        codes[name] = case(here).code
        verbs |= here.verbs
    assert verbs >= WITH_VAULT
    assert {name for name, code in codes.items() if code == 0} == {
        *("seal-literally", "seal-mixture", "set-reference", "unset-reference"),
        *("inspect-reference", "inspect-reference-json", "check", "check-json", "check-in-part"),
        *("check-text", "push", "push-data", "push-again", "push-report", "push-dry", "push-old"),
    }


def test_a_verb_without_cases_is_noticed() -> None:
    with pytest.raises(AssertionError):
        check_no_verb_is_forgotten(set(VERBS - EXCEPTIONS.keys() - WITH_VAULT - {"set"}))


def test_the_mark_would_be_found(desk: Desk) -> None:
    """Unsealing is the one verb that shows it: the search above does find what is there."""
    desk.ok("seal", "-o", SEALED, stdin=SECRET)
    assert ENCODED in desk.ok("unseal", SEALED, "--key", desk.key_file("prod")).out
