"""A marked secret goes through every verb, in fair weather and foul, and shows nowhere."""

from __future__ import annotations

import base64
import errno
import json
from collections.abc import Callable

import pytest
import yaml

from tests.sealkit.cli.desk import CANARY, Closed, Desk, Result, key_of, secret_text

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


def with_docker(desk: Desk) -> Desk:
    """A manifest whose value is what no Docker configuration is."""
    desk.ok("seal", "-o", SEALED, stdin=SECRET.replace("PASSWORD", ".dockerconfigjson"))
    return desk


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_secret_shows_nowhere(desk: Desk, case: Case) -> None:
    desk.ok("seal", "-o", SEALED, stdin=SECRET)
    result = case(desk)
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


def test_the_cases_are_what_they_say(desk: Desk) -> None:
    """Most of the cases fail, each as a refusal and none as a bug."""
    codes = {}
    for name, case in CASES.items():
        desk.config()
        desk.ok("seal", "-o", SEALED, stdin=SECRET)
        result = case(desk)
        codes[name] = result.code
        assert "internal error" not in result.err, name
    good = {name for name, code in codes.items() if code == 0}
    assert good == {
        *("seal", "seal-data", "seal-json", "seal-report", "seal-raw"),
        *("set", "set-line-break", "set-report", "set-file", "set-typed", "unset", "inspect"),
    }


def test_the_mark_would_be_found(desk: Desk) -> None:
    """Unsealing is the one verb that shows it: the search above does find what is there."""
    desk.ok("seal", "-o", SEALED, stdin=SECRET)
    assert ENCODED in desk.ok("unseal", SEALED, "--key", desk.key_file("prod")).out
