"""Files that sops encrypted: the user's own sops opens them, and what it says stays in memory.

Its standard error is never shown: it may quote values. What went wrong is told by its exit code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sealkit.cli.app import App
from sealkit.cli.resources import SECRET, Found
from sealkit.errors import ManifestError, NoKeyError, SealkitError, UnsealError
from sealkit.files import reason_of
from sealkit.foreign import Conversion, Note, sops
from sealkit.manifests.documents import Document, Resource, iter_resources, read_documents
from sealkit.manifests.secret import Secret
from sealkit.manifests.splice import Update, rewrite
from sealkit.manifests.tree import MappingNode, to_plain
from sealkit.sensitive import Sensitive

_NO_KEY: Final = 128
_CHANGED: Final = 51
_ENV: Final = "sops decrypt FILE | sealkit create NAME --from-env-file -"
_WHOLE: Final = "sops decrypt FILE | sealkit create NAME --from-file KEY=-"
_HINTS: Final = {
    "dotenv": f"to make a sealed Secret of its variables: {_ENV}",
    "ini": f"to make a sealed Secret that holds it: {_WHOLE}",
    "other": "seal the values as a Secret of their own, and refer to that, as valuesFrom or "
    f"secretKeyRef do; for a whole file as one value: {_WHOLE}",
}
_INSTALL: Final = "install sops, https://getsops.io, or decrypt the file where it is installed"


def is_encrypted(entry: Found) -> bool:
    """Tell whether an object stands in a document that sops encrypted."""
    return sops.is_metadata(_metadata(entry.resource.document))


def refuse_flat(raw: bytes, label: str) -> None:
    """Refuse a file that sops encrypted and that cannot hold Kubernetes objects.

    Raises:
        ManifestError: it is of the format dotenv or ini.
    """
    if found := sops.flat_format(raw):
        what = f"is a file that sops encrypted as {found}, and no Secret"
        raise ManifestError(what, hint=_HINTS[found]).located(file=label)


def decrypted(app: App, text: str, found: Sequence[Found]) -> list[Found] | ManifestError:
    """Return the objects of a file as they were before sops encrypted it, each in its old place.

    If it has to stay as it is, the reason comes back: it holds no Secret, or something else is
    encrypted in it, which then would stand in plain text, or could not be opened any more.

    Raises:
        NoKeyError, UnsealError: sops cannot open it.
        ManifestError: what sops made of it is no manifest.
        SealkitError: there is no sops, or it fails in another way.
    """
    if not any(_may_be_secret(entry) for entry in found):
        return _no_secret(found[0])
    plain = _decrypt(app, text, found[0].resource.document)
    file = found[0].resource.document.file
    opened = [
        one
        for document in read_documents(plain.reveal(), file=file)
        for one in iter_resources(document)
    ]
    if [one.document.number for one in opened] != [one.document for one in found]:
        what = "is a List that is encrypted as a whole"
        hint = "sops decrypt FILE shows it: give each Secret a document of its own"
        return found[0].resource.located(ManifestError(what, hint=hint))
    pairs = zip(found, opened, strict=True)
    now = [old._replace(raw=sops.without_metadata(new.to_dict())) for old, new in pairs]
    if not any(entry.type == SECRET for entry in now):
        return _no_secret(found[0])
    return next(filter(None, map(_lost, found, now)), now)


def secret_of(entry: Found, before: Mapping[str, object]) -> tuple[Secret, tuple[Note, ...]]:
    """Parse a decrypted Secret; note each value that stood in plain text `before`.

    Raises:
        ManifestError: a field is wrong, or a value is still encrypted.
    """
    secret = Secret.from_dict(entry.raw)
    for key, value in secret.data.items():
        raw = value.reveal()
        if sops.is_encrypted_file(raw) or sops.is_encrypted(raw.decode(errors="replace")):
            raise still_encrypted(f"data.{key}")
    todo = "stood in the file in plain text, the rules of sops left it out: change the value"
    return secret, tuple(Note(path, "", todo) for path in sops.plain_values(before))


def still_encrypted(path: str) -> ManifestError:
    """Return the error for a value that would be sealed as sops has it, of use to nobody."""
    hint = "decrypt it by itself with sops, and put what comes out in its place"
    return ManifestError("is encrypted with sops, and nothing here opens it", field=path, hint=hint)


def stays(reason: ManifestError) -> Conversion:
    """Return what becomes of a file that has to stay as it is."""
    return Conversion((Note("", "", f"{reason.problem}, so it stays as it is: {reason.hint}"),))


def without_metadata(text: str) -> str:
    """Return a text, in which nothing is encrypted any more, without what sops added to it.

    Raises:
        ManifestError: the layout is one that cannot be edited safely.
    """
    documents = read_documents(text)
    changes = [
        Update(Resource(one, one.root), sops.without_metadata(Resource(one, one.root).to_dict()))
        for one in documents
        if isinstance(one.root, MappingNode) and sops.is_metadata(_metadata(one))
    ]
    edited = rewrite(text, changes)
    bare = sops.without_comments(edited)
    return bare if _same(bare, edited) else edited


def _same(one: str, other: str) -> bool:
    """Tell whether two texts hold the same data: a line of a value may look like a comment."""
    left, right = (
        [document.to_plain() for document in read_documents(text) if not document.is_empty]
        for text in (one, other)
    )
    return left == right


def _metadata(document: Document) -> object:
    root = document.root
    entry = root.entries.get(sops.METADATA) if isinstance(root, MappingNode) else None
    return to_plain(entry.value) if entry else None


def _may_be_secret(entry: Found) -> bool:
    return entry.type == SECRET or sops.is_encrypted(entry.raw.get("kind"))


def _no_secret(entry: Found) -> ManifestError:
    kind = entry.raw.get("kind")
    what = f"a {kind}" if isinstance(kind, str) and not sops.is_encrypted(kind) else "a file"
    problem = f"is {what} that sops encrypted, and no Secret"
    return entry.resource.located(ManifestError(problem, hint=_HINTS["other"]))


def _lost(before: Found, now: Found) -> ManifestError | None:
    """Return the reason if an object that is no Secret would come out of its encryption."""
    path = next(sops.encrypted_fields(sops.without_metadata(before.raw)), "")
    if now.type == SECRET or not path:
        return None
    what = "is encrypted beside the Secrets of this file, and belongs to no Secret"
    hint = "give the object a file of its own; or if it is not secret, decrypt the file, and "
    error = ManifestError(what, field=path, hint=f"{hint}let encrypted_regex pass it over")
    return before.resource.located(error)


def _decrypt(app: App, text: str, document: Document) -> Sensitive:
    """Let sops decrypt a text, through pipes."""
    import shutil  # noqa: PLC0415 (cold start)
    import subprocess  # noqa: PLC0415 (same)

    program = shutil.which("sops", path=app.environment.get("PATH"))
    if program is None:
        raise SealkitError("sops is not installed", hint=_INSTALL).located(file=document.file)
    kind = document.format
    options = ("--input-type", kind, "--output-type", kind, "--filename-override", f"file.{kind}")
    try:
        done = subprocess.run(  # noqa: S603 (no shell, and the program is sops)
            [program, "decrypt", *options],
            cwd=app.folder,
            env=app.environment,
            input=text.encode(),
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise SealkitError(f"sops cannot be started: {reason_of(error)}") from error
    if done.returncode:
        raise _failure(done.returncode, document).located(file=document.file)
    return Sensitive(done.stdout)


def _failure(code: int, document: Document) -> SealkitError:
    if code == _NO_KEY:
        keys = ", ".join(sops.keys_of(_metadata(document))) or "keys that it does not name"
        hint = f"it is for {keys}; SOPS_AGE_KEY_FILE names the file with private keys of age"
        return NoKeyError("sops has no key here that opens it", hint=hint)
    if code == _CHANGED:
        hint = "restore it with git; what it holds now: sops decrypt --ignore-mac FILE"
        return UnsealError("was changed after sops encrypted it (MAC mismatch)", hint=hint)
    hint = "what it says: sops decrypt FILE; it takes standard input since version 3.10"
    return SealkitError(f"sops cannot decrypt it, and ends with {code}", hint=hint)
