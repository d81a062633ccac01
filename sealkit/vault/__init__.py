"""A client for Vault and OpenBao: one server, one identity, any number of threads.

hvac makes the requests; trust, time, size, redirects, errors and the life of the token are decided
here. `resolve` turns references into values with it. Importing this costs a third of a second: do
it where Vault is really asked.
"""

from sealkit.errors import VaultError
from sealkit.vault.answer import Answer, Lease, Mount
from sealkit.vault.breaker import Breaker
from sealkit.vault.client import Ask, Identity, Vault
from sealkit.vault.held import Held, Term, renewed, renewed_term
from sealkit.vault.login import (
    AppRoleLogin,
    CertLogin,
    JwtLogin,
    KubernetesLogin,
    Login,
    PasswordLogin,
    TokenLogin,
    ldap_login,
    userpass_login,
)
from sealkit.vault.paths import quoted
from sealkit.vault.question import Question
from sealkit.vault.reason import Reason
from sealkit.vault.resolve import Access, Resolution, resolve
from sealkit.vault.server import Limits, Server, Tls

__all__ = [
    "Access",
    "Answer",
    "AppRoleLogin",
    "Ask",
    "Breaker",
    "CertLogin",
    "Held",
    "Identity",
    "JwtLogin",
    "KubernetesLogin",
    "Lease",
    "Limits",
    "Login",
    "Mount",
    "PasswordLogin",
    "Question",
    "Reason",
    "Resolution",
    "Server",
    "Term",
    "Tls",
    "TokenLogin",
    "Vault",
    "VaultError",
    "ldap_login",
    "quoted",
    "renewed",
    "renewed_term",
    "resolve",
    "userpass_login",
]
