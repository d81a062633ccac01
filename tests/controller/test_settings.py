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
        "SEALKIT_WATCH_NAMESPACE": "shop",
        "SEALKIT_WORKERS": "4",
        "SEALKIT_LOG_LEVEL": "debug",
        "SEALKIT_BIND_ADDRESS": "::1",
        "SEALKIT_PUBLIC_PORT": "0",
    }
    settings = Settings.from_environ(environ)
    assert settings.watch_namespace == "shop"
    assert (settings.workers, settings.log_level, settings.public_port) == (4, "debug", 0)


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
    ],
)
def test_a_wrong_setting_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environ({name: value})
    assert caught.value.field == name
