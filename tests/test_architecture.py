"""Who may import whom, checked from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MEMBER_PACKAGES = (
    "attacks",
    "augmentations",
    "edits",
    "modalities",
    "encoders",
    "fusion",
    "losses",
    "objectives",
    "quantization",
    "regularization",
    "selection",
    "tracking",
    "tuning",
)
# Base classes are what members share; every other module of these packages is a member.
BASES = {
    "trainer.edits.edit",
    "trainer.attacks.attack",
    "trainer.attacks.costs",
    "trainer.attacks.victim",
    "trainer.modalities.modality",
    "trainer.encoders.encoder",
    "trainer.losses.vote_loss",
    "trainer.objectives.objective",
    "trainer.quantization.calibrated",
    "trainer.quantization.quantizer",
    "trainer.regularization.batch",
    "trainer.regularization.iterative",
    "trainer.regularization.regularizer",
    "trainer.selection.candidates",
    "trainer.tracking.tracker",
    "trainer.augmentations.augmentation",
    "trainer.augmentations.corruption",
    "trainer.tuning.tuning",
}
LIGHT = (
    "trainer.data",
    "trainer.modalities",
    "trainer.augmentations",
    "trainer.edits",
    "trainer.demo_catalogue",
    "trainer.report",
)
HEAVY = {"tensorflow", "keras", "keras_hub", "tensorflow_text"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    nodes = _top_level(tree) if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _top_level(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


SOURCES = {
    module_name(path): path
    for package in ("trainer", "components", "serving")
    for path in sorted((ROOT / package).rglob("*.py"))
}


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_sources_are_found() -> None:
    assert {"trainer.model", "trainer.fusion.gated", "trainer.cli"} <= set(SOURCES)


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("trainer", ("components", "serving")),
        ("components", ("serving",)),
        ("serving", ("components",)),
    ],
)
def test_packages_import_only_what_they_may(package: str, forbidden: tuple[str, ...]) -> None:
    for name, path in SOURCES.items():
        if is_within(name, package):
            for imported in imports(path):
                assert not any(is_within(imported, other) for other in forbidden), (name, imported)


def test_serving_knows_only_the_contracts_of_training() -> None:
    contracts = {"trainer.artefact", "trainer.inputs"}
    for name, path in SOURCES.items():
        if is_within(name, "serving"):
            known = {of for of in imports(path) if is_within(of, "trainer")}
            assert all(any(is_within(of, contract) for contract in contracts) for of in known), (
                name,
                known,
            )


def test_members_of_a_kind_never_import_each_other() -> None:
    for kind in MEMBER_PACKAGES:
        package = f"trainer.{kind}"
        for name, path in SOURCES.items():
            if is_within(name, package) and name not in BASES:
                others = {
                    imported
                    for imported in imports(path)
                    if imported.startswith(f"{package}.")
                    and not any(is_within(imported, base) for base in BASES)
                }
                assert not others, (name, others)


@pytest.mark.parametrize("kind", MEMBER_PACKAGES)
def test_members_stand_below_model_and_training(kind: str) -> None:
    above = {
        "trainer.model",
        "trainer.network",
        "trainer.fitting",
        "trainer.run",
        "trainer.export",
        "trainer.stage",
    }
    for name, path in SOURCES.items():
        if is_within(name, f"trainer.{kind}"):
            assert not imports(path) & above, name


COMPONENTS = {
    name.removesuffix(".component")
    for name in SOURCES
    if name.count(".") == 2 and name.endswith(".component")
}


def test_components_never_import_each_other() -> None:
    assert "components.evaluator" in COMPONENTS
    for name, path in SOURCES.items():
        own = {package for package in COMPONENTS if is_within(name, package)}
        for imported in imports(path) if own else ():
            others = {package for package in COMPONENTS - own if is_within(imported, package)}
            assert not others, (name, imported)


def test_what_a_component_declares_is_light() -> None:
    for package in COMPONENTS:
        heavy = imports(SOURCES[f"{package}.component"], top_level=True)
        assert not {of.split(".")[0] for of in heavy} & {*HEAVY, "pandas", "numpy"}, package


def test_table_and_report_code_does_not_import_tensorflow_at_the_top() -> None:
    light = [
        name
        for name in SOURCES
        if any(is_within(name, package) for package in (*LIGHT, "trainer.commands"))
        or name
        in ("trainer", "trainer.cli", "trainer.config", "trainer.overrides", "trainer.registry")
    ]
    for name in light:
        if name == "trainer.demo_catalogue.tfds_builder":
            continue  # exists for TensorFlow Datasets
        heavy = {imported.split(".")[0] for imported in imports(SOURCES[name], top_level=True)}
        assert not heavy & HEAVY, name


def test_the_device_needs_few_packages() -> None:
    """serving.edge is copied to a device as it is."""
    allowed = {"numpy", "PIL", "ai_edge_litert", *sys.stdlib_module_names}
    edge = [name for name in SOURCES if is_within(name, "serving.edge")]
    assert "serving.edge.encoders.bert" in edge
    for name in edge:
        for imported in imports(SOURCES[name]):
            known = is_within(imported, "serving.edge") or imported.split(".")[0] in allowed
            assert known, (name, imported)


def test_the_client_needs_few_packages() -> None:
    """serving.client runs in programs that have no TensorFlow."""
    allowed = {"google", "grpc", "numpy", "tqdm", "urllib3", *sys.stdlib_module_names}
    shared = ("serving.client", "trainer.artefact", "trainer.inputs")
    client = [name for name in SOURCES if is_within(name, "serving.client")]
    assert "serving.client.rest" in client
    for name in client:
        for imported in imports(SOURCES[name]):
            known = any(is_within(imported, one) for one in shared)
            assert known or imported.split(".")[0] in allowed, (name, imported)


def test_help_does_not_load_tensorflow() -> None:
    code = (
        "import sys; from trainer.cli import build_parser; build_parser().format_help();"
        "print([m for m in ('tensorflow', 'keras', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_benchmark_hides_a_package():
    # A script's own folder is where Python looks first.
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert {"trainer", "serving"} <= packages
    assert not packages & {path.stem for path in (ROOT / "tests/benchmarks").iterdir()}
