"""`sealkit policy`: admission policies, so that a cluster takes sealed manifests only."""

from __future__ import annotations

import click

from sealkit.admission import ACTIONS, HELM, LABEL, Terms, policies
from sealkit.cli.app import App
from sealkit.cli.options import output_option
from sealkit.errors import ManifestError, UsageError
from sealkit.fields import namespace_name, object_name
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.scope import Scope


@click.command("policy")
@click.option(
    "--action",
    type=click.Choice(list(ACTIONS)),
    default="warn",
    show_default=True,
    help="What happens to what breaks a rule.",
)
@click.option(
    "--allow",
    "users",
    multiple=True,
    metavar="USER",
    help="Who else may write Secrets: a user as Kubernetes names it, such as"
    " system:serviceaccount:cert-manager:cert-manager; repeatable.",
)
@click.option(
    "--allow-type",
    "types",
    multiple=True,
    default=(HELM,),
    show_default=True,
    metavar="TYPE",
    help="Secrets of this type may be written by anybody; '' for none; repeatable.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    default=(Scope.STRICT.value, Scope.NAMESPACE.value),
    show_default=True,
    help="A scope that SealedSecrets may have; repeatable.",
)
@click.option(
    "--controller-namespace",
    default="sealkit-system",
    show_default=True,
    metavar="NAME",
    help="Namespace of the controller.",
)
@click.option(
    "--service-account",
    default="sealkit-controller",
    show_default=True,
    metavar="NAME",
    help="The account that the controller runs as.",
)
@output_option
@click.pass_obj
def policy_command(
    app: App,
    action: str,
    users: tuple[str, ...],
    types: tuple[str, ...],
    scopes: tuple[str, ...],
    controller_namespace: str,
    service_account: str,
    output: str,
) -> None:
    """Print ValidatingAdmissionPolicies for `kubectl apply -f -`.

    In namespaces with the label sealkit.dev/sealed-only=true only the controller writes Secrets,
    and SealedSecrets have one of the scopes. Labels and annotations of Secrets stay free. Begin
    with the action `warn`, which also leaves a line in the audit log, and see who would be refused.
    """
    controller = _account(controller_namespace, service_account)
    for user in users:
        if not user.isprintable() or not user.strip():
            raise UsageError("is no name of a user", field="--allow")
    terms = Terms(
        users=(controller, *users),
        types=[one for one in types if one],
        scopes=[Scope(one) for one in scopes],
        action=action,
    )
    app.write(output, "---\n".join(emit_yaml(one) for one in policies(terms)))
    app.say(f"sealkit: note: they hold in namespaces with the label {LABEL}=true")


def _account(namespace: str, name: str) -> str:
    try:
        space = namespace_name(namespace, "--controller-namespace")
        account = object_name(name, "--service-account")
    except ManifestError as error:
        raise UsageError(error.problem, field=error.field) from None
    return f"system:serviceaccount:{space}:{account}"
