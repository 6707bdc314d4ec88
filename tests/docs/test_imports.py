"""The table of packages in docs/architecture.md says what the imports in src/ are."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

from cabestan.testing import STEPS

SOURCE = ROOT / "src/cabestan"
#: imported by all
EVERYWHERE = frozenset({"errors", "__init__"})
_ROW = re.compile(r"^\| `(\w+)` \| .+ \| (.+) \|$", re.MULTILINE)


def allowed() -> dict[str, frozenset[str]]:
    """Package to what it may import, as the page has it."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Packages")[2].partition("\n## ")[0]
    return {name: frozenset(re.findall(r"`(\w+)`", cell)) for name, cell in _ROW.findall(section)}


def imports() -> dict[str, frozenset[str]]:
    """Package to what it imports of Cabestan."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        package = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        found.setdefault(package, set()).update(_imported(path))
    return {package: frozenset(names - {package}) - EVERYWHERE for package, names in found.items()}


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            modules = []
        for module in modules:
            root, _, rest = module.partition(".")
            if root == "cabestan":
                name = rest.partition(".")[0]
                is_module = (SOURCE / f"{name}.py").exists() or (SOURCE / name / "__init__.py").exists()
                yield name if name and is_module else "__init__"


def test_every_package_is_in_the_table() -> None:
    assert set(allowed()) == set(imports()) - EVERYWHERE


def test_no_package_imports_what_the_table_denies() -> None:
    table = allowed()
    denied = {package: names - table[package] for package, names in imports().items() if package in table}
    assert {package: names for package, names in denied.items() if names} == {}


def test_the_steps_of_the_workflows_are_those_of_the_code() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Durable workflows")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z]+\.[a-z-]+)`", section)) - {"deployments.give_turn"} == set(STEPS)


def test_the_table_is_without_circles() -> None:
    left = dict(allowed())
    while free := [name for name, needs in left.items() if not needs & set(left)]:
        for name in free:
            del left[name]
    assert left == {}


def test_import_linter_checks_the_same_direction() -> None:
    """Its layers, where they are set, lie in the table's order: none may import one that stands above it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"].get("importlinter", {})
    table = allowed()
    for contract in settings.get("contracts", []):
        if contract["type"] != "layers":
            continue
        layers = [re.findall(r"\w+", layer.replace("cabestan.", "")) for layer in contract["layers"]]
        for above, layer in ((above, layer) for i, layer in enumerate(layers) for above in layers[:i]):
            for package in layer:
                assert not table.get(package, frozenset()) & set(above), f"{package} may import one of {above}"
