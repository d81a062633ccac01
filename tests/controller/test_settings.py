import pytest

from sealkit.errors import ConfigError
from sealkit_controller.settings import Settings


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_environ({"PATH": "/bin"}) == Settings()


def test_the_pods_namespace_is_used_unless_another_is_set() -> None:
    assert Settings.from_environ({}, own_namespace="keys\n").namespace == "keys"
    environ = {"SEALKIT_NAMESPACE": "vault"}
    assert Settings.from_environ(environ, own_namespace="keys").namespace == "vault"


def test_every_setting_can_be_set() -> None:
    environ = {
        "SEALKIT_WATCH_NAMESPACES": "shop, blog,shop",
        "SEALKIT_LABEL_SELECTOR": "team in (a, b),!example.com/legacy,tier!=test",
        "SEALKIT_SHARDS": "3",
        "SEALKIT_SHARD": "2",
        "SEALKIT_KEY_RENEWAL_DAYS": "0",
        "SEALKIT_VAULT": "cluster",
        "SEALKIT_VAULT_ADDRESSES": "https://vault.vault:8200, http://*.example.com",
        "SEALKIT_WORKERS": "4",
        "SEALKIT_LOG_LEVEL": "debug",
        "SEALKIT_BIND_ADDRESS": "::1",
        "SEALKIT_PUBLIC_PORT": "0",
    }
    settings = Settings.from_environ(environ)
    assert settings.watch_namespaces == ("blog", "shop")
    assert settings.label_selector == "team in (a, b),!example.com/legacy,tier!=test"
    assert (settings.shards, settings.shard, settings.key_renewal_days) == (3, 2, 0)
    assert settings.vault == "cluster"
    assert settings.vault_addresses == ("http://*.example.com", "https://vault.vault:8200")
    assert (settings.workers, settings.log_level, settings.public_port) == (4, "debug", 0)


@pytest.mark.parametrize("raw", ["", " "])
def test_an_empty_list_or_selector_is_as_if_not_set(raw: str) -> None:
    names = ("SEALKIT_WATCH_NAMESPACES", "SEALKIT_LABEL_SELECTOR", "SEALKIT_VAULT_ADDRESSES")
    assert Settings.from_environ(dict.fromkeys(names, raw)) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEALKIT_WORKERS", "0"),
        ("SEALKIT_WORKERS", "many"),
        ("SEALKIT_WORKERS", "²"),
        ("SEALKIT_WORKERS", "-1"),
        ("SEALKIT_PROBE_PORT", "65536"),
        ("SEALKIT_NAMESPACE", "Not A Namespace"),
        ("SEALKIT_NAMESPACE", ""),
        ("SEALKIT_LOG_LEVEL", "loud"),
        ("SEALKIT_BIND_ADDRESS", "localhost"),
        ("SEALKIT_WROKERS", "4"),
        ("SEALKIT_WATCH_NAMESPACES", "a,,b"),
        ("SEALKIT_WATCH_NAMESPACES", "a,B"),
        ("SEALKIT_LABEL_SELECTOR", "team in a"),
        ("SEALKIT_LABEL_SELECTOR", "team=a,"),
        ("SEALKIT_LABEL_SELECTOR", "=a"),
        ("SEALKIT_LABEL_SELECTOR", "team=a&limit=1"),
        ("SEALKIT_VAULT", "on"),
        ("SEALKIT_VAULT", ""),
        ("SEALKIT_VAULT_ADDRESSES", "vault.vault:8200"),
        ("SEALKIT_VAULT_ADDRESSES", "https://vault.vault:8200/v1"),
        ("SEALKIT_VAULT_ADDRESSES", "https://*"),
        ("SEALKIT_VAULT_ADDRESSES", "https://a,,https://b"),
        ("SEALKIT_SHARD", "1"),
        ("SEALKIT_SHARDS", "0"),
        ("SEALKIT_KEY_RENEWAL_DAYS", "-1"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environ({name: value})
    assert caught.value.field == name
