"""The table of functions: what is in it, what must never be, and Helm's two, which Go lacks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

import sealkit.templates
from sealkit.errors import TemplateError
from sealkit.templates.functions import FUNCTIONS
from sealkit.templates.template import parse
from tests.sealkit.templates.rendering import boxed, rendered

FORBIDDEN = {
    "environment": "env expandenv",
    "clock": "ago date dateInZone dateModify date_in_zone date_modify duration durationRound"
    " htmlDate htmlDateInZone mustDateModify mustToDate must_date_modify now toDate unixEpoch",
    "network": "getHostByName urlParse urlJoin",
    "random": "randAlpha randAlphaNum randAscii randBytes randInt randNumeric shuffle uuidv4",
    "keys": "bcrypt buildCustomCert decryptAES derivePassword encryptAES genCA genCAWithKey"
    " genPrivateKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert"
    " genSignedCertWithKey htpasswd jwkPrivateKeyPem jwkPublicKeyPem pkcs12cert pkcs12key",
    "cluster": "lookup getSecretKey",
    "files": "base clean dir ext isAbs osBase osClean osDir osExt osIsAbs",
    "other-templates": "call include tpl",
    "changes-a-map": "set unset merge mergeOverwrite mustMerge mustMergeOverwrite deepCopy",
    "slow": "regexMatch regexFind regexFindAll regexReplaceAll regexSplit mustRegexMatch",
}

IMPORTS = re.compile(r"^(?:from|import) ([\w.]+)", re.MULTILINE)
HARMLESS = {
    *("__future__", "collections", "dataclasses", "enum", "typing"),
    *("base64", "bisect", "decimal", "hashlib", "json", "re"),
    "sealkit",
}


@pytest.mark.parametrize("names", FORBIDDEN.values(), ids=list(FORBIDDEN))
def test_nothing_that_reaches_outside_or_differs_each_time_is_in_the_table(names: str) -> None:
    assert not FUNCTIONS.keys() & set(names.split())


def test_the_package_imports_nothing_that_could_reach_outside() -> None:
    modules = {
        name.split(".")[0]
        for path in Path(sealkit.templates.__path__[0]).glob("*.py")
        for name in IMPORTS.findall(path.read_text(encoding="utf-8"))
    }
    assert modules <= HARMLESS


@pytest.mark.parametrize("name", ["env", "now", "randAlphaNum", "nosuchfunction"])
def test_a_function_that_is_not_there_is_refused_when_parsed(name: str) -> None:
    with pytest.raises(TemplateError, match=r"^1:16: calls a function") as caught:
        parse(f"{{{{if false}}}}{{{{ {name} }}}}{{{{end}}}}")
    assert name not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_wrong_number_of_arguments_is_refused_when_parsed(name: str) -> None:
    function = FUNCTIONS[name]
    fewest = len(function.takes)
    wrong = [count for count in (fewest - 1, fewest + 1) if count >= 0]
    for count in (count for count in wrong if not function.accepts(count)):
        with pytest.raises(TemplateError, match=rf": {name} takes .* arguments, not {count}$"):
            parse(f"{{{{{name}{' 1' * count}}}}}")


@pytest.mark.parametrize("empty", ['""', "nil", ".gone"])
def test_required_refuses_what_is_missing_without_its_message(empty: str) -> None:
    with pytest.raises(TemplateError, match=r"^1:3: required found no value$"):
        rendered("{{required .message " + empty + "}}", boxed(message="hunter2"))


@pytest.mark.parametrize("given", ["0", "false", '"a"', "list", "dict"])
def test_required_gives_all_else(given: str) -> None:
    assert rendered(f"{{{{required `none` ({given})}}}}") == rendered(f"{{{{{given}}}}}")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
AWKWARD = [
    "yes",
    "NULL",
    "~",
    "",
    "1e3",
    "a: b",
    "a #b",
    "- a",
    "<<",
    "=",
    "\x7f\x85\ufeff\n",
    "é😀",
]


def floats(value: object) -> object:
    """`value` with every number as Go's JSON reads it."""
    return json.loads(json.dumps(value), parse_int=float)


@given(json_values)
@example({word: [word, {word: word}, [[word], []], {}] for word in AWKWARD})
@example([1e21, -1e-7, 5e-324, 12345678.0, 0.1, True, None])
def test_a_reader_of_yaml_gives_back_what_was_given(value: object) -> None:
    source = boxed(json=json.dumps(value))
    text = rendered("{{mustFromJson .json | toYaml}}", source).decode()
    assert floats(yaml.safe_load(text)) == floats(value)
    assert not text.endswith("\n")


def test_a_key_that_yaml_has_no_room_for_is_refused() -> None:
    assert rendered("{{dict (repeat 1000 `a`) 1 | toYaml}}") == b"a" * 1000 + b": 1"
    with pytest.raises(TemplateError, match=r"toYaml has a key in a map that is longer than 1000"):
        rendered("{{dict (repeat 1001 `a`) 1 | toYaml}}")


@given(json_values)
def test_json_comes_back_from_every_way_of_writing_it(value: object) -> None:
    source = boxed(json=json.dumps(value))
    once = rendered("{{mustFromJson .json | toJson}}", source)
    for name in ("toJson", "toRawJson", "toPrettyJson", "mustToJson"):
        again = f"{{{{mustFromJson .json | {name} | mustFromJson | toJson}}}}"
        assert rendered(again, source) == once
