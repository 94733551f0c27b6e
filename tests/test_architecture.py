"""The law of the house: what may import what, and what the pure core may not do at all."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "consentgate"
MODULES = sorted(PACKAGE.rglob("*.py"))
CORE = [path for path in MODULES if path.parent.name == "core"]

# Who may import whom, inside the package. "" is the package itself.
ARROWS = {
    "core": set(),
    "handler": {"core"},
    "report": {"core"},
    "learn": {"core"},
    "presets": {"core"},
    "testing": {"core"},
    "geo": {"core"},
    "law": {"core"},
    "pages": {"core"},
    "gate": {"core", "pages"},
    "config": {"core", "gate", "geo", "law", "pages", "presets"},
    "asgi": {"core", "handler", "report"},
    "wsgi": {"core", "handler", "report"},
    "state": {"core", "handler", "learn"},
    "sites": {"core", "config", "law", "presets", "handler", "state"},
    "apps": {"state"},
    "templatetags": {"state"},
    "wrap": {"core", "handler", "learn", "report", "sites", "state", "asgi", "wsgi"},
    "": {"core", "config", "gate", "handler", "state", "wrap"},
    "cli": {"", "core", "config", "presets", "wrap"},
    "__main__": {"cli"},
}
# Who may import what from outside: each shell its own library, and frameworks only where needed.
OUTSIDE = {
    "core": {"itsdangerous"},
    "handler": {"markupsafe"},
    "pages": {"jinja2", "markupsafe"},
    "asgi": {"starlette"},
    "wsgi": {"werkzeug"},
    "state": {"django", "flask", "markupsafe", "quart"},
    "templatetags": {"django"},
    "apps": {"django"},
    "geo": {"maxminddb"},
    "cli": {"click", "rich", "fastapi", "uvicorn", "httpx", "tomlkit"},
}
# What the core may use of the standard library: nothing that knows the time, the machine, chance.
PURE = {
    "__future__",
    "base64",
    "bisect",
    "calendar",
    "collections",
    "dataclasses",
    "enum",
    "hashlib",
    "html",
    "itertools",
    "json",
    "operator",
    "re",
    "struct",
    "types",
    "typing",
    "urllib.parse",
    "zlib",
}
IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def unit_of(path: Path) -> str:
    """The part of the package that a file belongs to."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports_of(path: Path) -> Iterator[str]:
    """Every absolute module name that a file imports, at whatever depth it does so."""
    inside = ["consentgate", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if (node.level and not node.module) or module == "consentgate":
                # `from . import page` imports a module, `from .. import __version__` does not.
                folder = PACKAGE.joinpath(*module.split(".")[1:])
                for alias in node.names:
                    known = (folder / f"{alias.name}.py").exists() or (folder / alias.name).is_dir()
                    yield f"{module}.{alias.name}" if known else module
            else:
                yield module


def arrows_of(path: Path) -> set[str]:
    """The parts of the package that a file imports, its own left out."""
    found = set()
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "consentgate":
            found.add(parts[1] if len(parts) > 1 else "")
    return found - {unit_of(path)}


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_part_of_the_package_has_its_place() -> None:
    """A new part is put into the table of arrows on purpose, or not at all."""
    assert {unit_of(path) for path in MODULES} == set(ARROWS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_arrows_point_one_way(path: Path) -> None:
    """cli → config → core; asgi, wsgi → core; wrap → sites → config; wrap → asgi, wsgi."""
    assert arrows_of(path) - ARROWS[unit_of(path)] == set()


def test_the_table_itself_points_one_way() -> None:
    """No circle, the adapters know neither each other nor the configuration, nobody knows cli."""
    assert list(TopologicalSorter(ARROWS).static_order())
    assert not {"asgi", "wsgi", "config"} & (ARROWS["asgi"] | ARROWS["wsgi"])
    assert not ARROWS["core"]
    assert [unit for unit, known in ARROWS.items() if "cli" in known] == ["__main__"]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_other_packages_are_imported_only_where_they_belong(path: Path) -> None:
    """starlette by the ASGI shell alone, werkzeug by the WSGI shell alone, and so on."""
    tops = {one.partition(".")[0] for one in imports_of(path)} - {"consentgate"}
    foreign = tops - set(sys.stdlib_module_names)
    assert foreign - OUTSIDE.get(unit_of(path), set()) == set()


# --- the pure core ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_imports_nothing_impure(path: Path) -> None:
    """No clock, files, environment, randomness, logging, threads or event loop."""
    allowed = PURE | OUTSIDE["core"]
    foreign = {
        one
        for one in imports_of(path)
        if not one.startswith("consentgate.core")
        and one not in allowed
        and one.partition(".")[0] not in allowed
    }
    assert foreign == set()


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_calls_nothing_impure(path: Path) -> None:
    """It neither reads nor writes nor runs anything; and nothing is global that changes."""
    calls = {
        node.func.id
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls & IMPURE_CALLS == set()
    assert not any(
        isinstance(node, (ast.Global, ast.Nonlocal, ast.Await, ast.AsyncFunctionDef))
        for node in ast.walk(tree_of(path))
    )


def test_inside_the_core_arrows_point_one_way_too() -> None:
    """gate knows all the others and nobody knows gate; policy, http and memo know nobody."""
    known = {
        path.stem: {
            one.split(".")[2] for one in imports_of(path) if one.startswith("consentgate.core.")
        }
        for path in CORE
        if path.stem != "__init__"
    }
    assert list(TopologicalSorter(known).static_order())[-1] == "gate"
    assert [module for module, others in known.items() if "gate" in others] == []
    for module in ("cookies", "http", "memo", "policy", "consent", "wish"):
        assert known[module] == set()


def changes_in(path: Path) -> set[str]:
    """Every attribute that is assigned or deleted outside an `__init__`, as `object.attribute`."""
    found = set()

    def visit(node: ast.AST, inside: str) -> None:
        if isinstance(node, ast.FunctionDef):
            inside = node.name
        changed = isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del))
        if isinstance(node, ast.Attribute) and changed and inside != "__init__":
            found.add(ast.unparse(node))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(tree_of(path), "")
    return found


def test_nothing_in_the_core_changes_after_it_was_made() -> None:
    """Except the bounded memory, and of one request its visit and its cookies, taken apart late."""
    changes = {path.stem: changes_in(path) for path in CORE}
    of_one_request = changes.pop("visitor") | changes.pop("visit")
    assert all(one.startswith("self.") for one in changes.pop("memo") | of_one_request)
    assert {module: found for module, found in changes.items() if found} == {
        "forward": {"visit.sealed"},
        "front": {"visit.astray", "visit.worded"},
        "own_pages": {"visit.astray"},
        "request_cookies": {"self._parts"},
    }


def test_nothing_in_the_core_is_a_changeable_global() -> None:
    """Module-level names are constants, functions and classes; none is ever written to."""
    found = []
    for path in CORE:
        constants = {
            target.id
            for node in tree_of(path).body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
                written = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                writers = ("append", "extend", "add", "update", "pop", "clear", "put", "remove")
                written = node.func.value if node.func.attr in writers else None
            else:
                continue
            if isinstance(written, ast.Name) and written.id in constants:
                found.append((path.stem, written.id))
    assert found == []


@pytest.mark.parametrize("path", [path for path in CORE if path.stem != "__init__"], ids=name)
def test_every_module_of_the_core_has_its_tests(path: Path) -> None:
    """tests/core mirrors core one to one."""
    assert (ROOT / "tests" / "core" / f"test_{path.name}").is_file()


# --- what an import costs -----------------------------------------------------------------------


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after this statement."""
    script = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    modules: list[str] = json.loads(done.stdout)
    return set(modules)


FRAMEWORKS = {
    "click",
    "django",
    "fastapi",
    "flask",
    "httpx",
    "litestar",
    "quart",
    "rich",
    "starlette",
    "werkzeug",
}


def test_importing_the_package_imports_no_shell_and_no_framework() -> None:
    """`import consentgate` costs what the core and the configuration cost."""
    loaded = loaded_by("import consentgate")
    assert loaded & FRAMEWORKS == set()
    assert loaded & {"consentgate.asgi", "consentgate.wsgi", "consentgate.cli", "asyncio"} == set()


@pytest.mark.parametrize(("shell", "other"), [("asgi", "werkzeug"), ("wsgi", "starlette")])
def test_a_shell_brings_its_own_library_only(shell: str, other: str) -> None:
    """Whoever serves ASGI needs no werkzeug, whoever serves WSGI no starlette."""
    loaded = loaded_by(f"import consentgate.{shell}")
    assert other not in loaded
    assert f"consentgate.{'wsgi' if shell == 'asgi' else 'asgi'}" not in loaded


def test_the_module_for_tests_brings_no_framework() -> None:
    """It works with any client because it knows none."""
    assert loaded_by("import consentgate.testing") & FRAMEWORKS == set()
