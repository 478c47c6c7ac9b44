import importlib
import os
import shutil
import sys

import pytest

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "wire", "##less", "head", "##phones")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """Returns a KerasHub preset folder: a BERT of 2 layers and a few thousand parameters."""
    import keras
    import keras_hub

    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("tiny_bert")
    vocabulary = [*PIECES, "耳", "机", "!"]
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=32,
    )
    backbone.save_to_preset(str(folder))
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)
    tokenizer.save_to_preset(str(folder))
    return str(folder)


@pytest.fixture
def import_components(tmp_path, monkeypatch):
    """Returns a function that writes packages of a component each, and imports what they declare.

    It takes the texts of `component.py` and `executor.py` by package. Processes that are started
    find the packages, too.
    """

    def go(packages):
        root = tmp_path / "packages"
        for name, (component, executor) in packages.items():
            (root / name).mkdir(parents=True)
            (root / name / "__init__.py").write_text("")
            (root / name / "component.py").write_text(component)
            (root / name / "executor.py").write_text(executor)
            for module in [found for found in sys.modules if found.split(".")[0] == name]:
                monkeypatch.delitem(sys.modules, module)
        monkeypatch.syspath_prepend(root)
        monkeypatch.setenv("PYTHONPATH", str(root), prepend=":")
        importlib.invalidate_caches()
        return {name: importlib.import_module(f"{name}.component").COMPONENT for name in packages}

    return go


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium of a phone's width."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        if os.environ.get("TAXOFUSE_BROWSER") == "required":
            pytest.fail("Chromium is missing: apt-get install chromium chromium-driver.")
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    phone = {"width": 360, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    yield driver
    driver.quit()
