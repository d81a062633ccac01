"""Lua 5.1, cut down to what Argo CD gives to scripts of its ConfigMap: base, table, the time."""

import json
from collections.abc import Mapping
from typing import Final

# Published without types; `run` is all there is of it here.
from lupa.lua51 import LuaRuntime  # type: ignore[import-untyped]

from sealkit_controller.objects import JsonObject

_CUT_DOWN: Final = """
    os = { time = os.time, date = os.date }
    for _, name in ipairs({ "coroutine", "debug", "dofile", "io", "load", "loadfile", "loadstring",
                            "math", "module", "package", "python", "require", "string" }) do
      _G[name] = nil
    end
"""


def run(script: str, raw: Mapping[str, object]) -> JsonObject:
    """Run a script on `obj` and return the table that it returns."""
    runtime = LuaRuntime(register_eval=False)
    runtime.execute(_CUT_DOWN)
    plain = json.loads(json.dumps(raw))
    runtime.globals()["obj"] = runtime.table_from(plain, recursive=True)
    return _plain(runtime.execute(script))


def _plain(table: object) -> JsonObject:
    assert hasattr(table, "items"), f"the script returned {table!r} and not a table"
    return {
        str(key): _plain(value) if hasattr(value, "items") else value
        for key, value in table.items()
    }
