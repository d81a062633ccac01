"""What is no Secret but holds one: kubeconfigs, ConfigMaps, environments, values of charts."""

from __future__ import annotations

from typing import Final

from sealkit.findings.finding import Rule
from sealkit.scanning import rules
from sealkit.scanning.env_file import look_at_variables
from sealkit.scanning.hit import Hits, View, inside
from sealkit.scanning.judging import Verdict, judge, names_secret
from sealkit.scanning.masking import MASK, written_in
from sealkit.scanning.tree import Map, Node, Seq, Text

_CREDENTIALS: Final = ("client-key-data", "token", "password")
_KEEP_OUT: Final = "keep it out of Git; who needs it can get one of his own"
_OUT: Final = "keep private keys out of Git, or seal them: sealkit create NAME --from-file …"
_RENEW: Final = "keep it out of Git, add a new key, and let the server encrypt everything again"
_REFER: Final = "put it into a sealed Secret, and refer to that with secretKeyRef"
_GIVE: Final = "put it into a sealed Secret, and name that in the values"
_LINES: Final = (".env", ".properties", ".ini", ".conf", ".cfg")


def look_at_kubeconfig(node: Map, view: View) -> Hits:
    """Yield the credentials of users."""
    users = node.get("users")
    for index, user in enumerate(users.items if isinstance(users, Seq) else ()):
        own = user.get("user") if isinstance(user, Map) else None
        for key, value in own.pairs if isinstance(own, Map) else ():
            if key.value in _CREDENTIALS and isinstance(value, Text) and _is_literal(value):
                at = view.below("users", f"[{index}]", "user", key.value)
                where = key._replace(end=value.end)
                yield at.plain(rules.KUBECONFIG, where, len(value.value), _KEEP_OUT)


def _is_literal(value: Text) -> bool:
    return MASK not in value.value and judge(value.value) is Verdict.LITERAL


def look_at_config_map(node: Map, view: View) -> Hits:
    """Yield what has the name of a secret, and that of texts of variables."""
    data = node.get("data")
    for key, value in data.pairs if isinstance(data, Map) else ():
        if not isinstance(value, Text):
            continue
        at = view.below("data", key.value)
        if key.value.endswith(_LINES) and "\n" in value.value:
            lines = at._replace(excerpt=inside(view.excerpt, value, value.value))
            yield from look_at_variables(lines, rules.IN_CONFIGURATION)
        else:
            yield from _named(key, value, at, rules.IN_CONFIGURATION)


def look_at_variable(node: Map, view: View) -> Hits:
    """Yield the value of a variable of a container, or of a parameter of a chart."""
    name, value = node.get("name"), node.get("value")
    if isinstance(name, Text) and isinstance(value, Text):
        key = Text(name.value, value.start, value.end, value.style)
        rule = rules.IN_VALUES if view.in_values else rules.IN_CONFIGURATION
        yield from _named(key, value, view.below("value"), rule)


def look_at_environment(node: Node, view: View) -> Hits:
    """Yield the variables of a service of Docker Compose: a mapping, or texts `NAME=value`."""
    for key, value in node.pairs if isinstance(node, Map) else ():
        if isinstance(value, Text):
            yield from _named(key, value, view.below(key.value), rules.IN_CONFIGURATION)
    for index, item in enumerate(node.items if isinstance(node, Seq) else ()):
        if isinstance(item, Text):
            name, _, text = item.value.partition("=")
            pair = (item._replace(value=name), item._replace(value=text))
            yield from _named(*pair, view.below(f"[{index}]"), rules.IN_CONFIGURATION)


def look_at_store_keys(node: Map, view: View) -> Hits:
    """Yield the keys of a provider in an EncryptionConfiguration."""
    keys = node.get("keys")
    for index, one in enumerate(keys.items if isinstance(keys, Seq) else ()):
        value = one.get("secret") if isinstance(one, Map) else None
        if isinstance(value, Text) and _is_literal(value):
            at = view.below("keys", f"[{index}]", "secret")
            yield at.plain(rules.STORE_KEY, value, len(value.value), _RENEW, "key")


def look_at_web_key(node: Map, view: View) -> Hits:
    """Yield what is private of a JSON Web Key (RFC 7518 section 6): `d`, or `k` if it is shared."""
    name = "k" if node.text("kty") == "oct" else "d"
    value = node.get(name)
    if isinstance(value, Text) and len(value.value) >= 20 and _is_literal(value):
        yield view.below(name).plain(
            rules.PRIVATE_KEY, value, len(value.value), _OUT, "private key"
        )


def look_at_values(node: Map, view: View) -> Hits:
    """Yield what has the name of a secret in one mapping of the values of a chart."""
    for key, value in node.pairs:
        if isinstance(value, Text):
            yield from _named(key, value, view.below(key.value), rules.IN_VALUES)


def _named(key: Text, value: Text, view: View, rule: Rule) -> Hits:
    hint = _GIVE if rule is rules.IN_VALUES else _REFER
    texts = written_in(view.source(value)) if MASK in value.value else (value.value,)
    for text in texts:
        if names_secret(key.value, text) is Verdict.LITERAL and view.counts(text):
            yield view.plain(rule, key._replace(end=value.end), len(text), hint)
