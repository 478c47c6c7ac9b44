"""Small components, written as packages of their own: `read` a file, `double` it, `join` two.

And one that makes of a file something that a Pusher takes for an exported model.
"""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import content
from components.examples import Example, ExamplesInfo, shard_path, write_shard
from components.pipeline import Node, Output, Pipeline, make_node
from components.runner import Runner
from components.statistics.contents import FILE as CONTENTS
from components.statistics.contents import write_contents
from components.statistics.files import split_folder, write_statistics
from components.statistics.split_summary import SplitSummary
from trainer.data.columns import Column

READ = (
    """
from dataclasses import dataclass
from pathlib import Path
from components.component import Component

@dataclass(frozen=True)
class Parameters:
    file: str

COMPONENT = Component(
    name="Read", package=__package__, inputs={}, outputs={"examples": "Examples"},
    parameters=Parameters, reads=lambda parameters: [Path(parameters.file)],
)
""",
    """
import shutil

def execute(inputs, outputs, parameters, scratch):
    shutil.copy(parameters.file, outputs["examples"] / "text")
    return {"examples": {"span": 3}}
""",
)
DOUBLE = (
    """
from dataclasses import dataclass
from components.component import Component, Input

@dataclass(frozen=True)
class Parameters:
    by: str = "+"
    pause: float = 0.0

COMPONENT = Component(
    name="Double", package=__package__, inputs={"examples": Input("Examples")},
    outputs={"examples": "Examples"}, parameters=Parameters,
)
""",
    """
import time

def execute(inputs, outputs, parameters, scratch):
    tries = scratch / "tries"
    tries.write_text(tries.read_text() + "." if tries.exists() else ".")
    text = (inputs["examples"] / "text").read_text()
    (outputs["examples"] / "half").write_text("")
    time.sleep(parameters.pause)
    if parameters.by == "raise":
        raise ValueError("the parameter `by` says so")
    if parameters.by == "die":
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    print("for people")
    (outputs["examples"] / "text").write_text(text + parameters.by + text)
""",
)
JOIN = (
    """
from components.component import Component, Input

COMPONENT = Component(
    name="Join", package=__package__,
    inputs={"first": Input("Examples"), "second": Input("Examples", optional=True)},
    outputs={"model": "Model", "sizes": "ExampleStatistics"},
)
""",
    """
def execute(inputs, outputs, parameters, scratch):
    read = [(path / "text").read_text() for path in inputs.values() if path]
    (outputs["model"] / "text").write_text("&".join(read))
    (outputs["sizes"] / "sizes").write_text(str(len(read)))
""",
)
TRAIN = (
    """
from dataclasses import dataclass
from components.component import Component, Input

@dataclass(frozen=True)
class Parameters:
    words: str = "a"
    blessed: bool = True

COMPONENT = Component(
    name="Train", package=__package__, inputs={"examples": Input("Examples")},
    outputs={"model": "Model", "blessing": "ModelBlessing"}, parameters=Parameters,
)
""",
    """
import hashlib, json

def execute(inputs, outputs, parameters, scratch):
    text = (inputs["examples"] / "text").read_text() + parameters.words
    export = outputs["model"] / "export" / "1"
    run = hashlib.sha256(text.encode()).hexdigest()
    for name, content in {
        "variables/variables.data": text * 100,
        "assets.extra/taxofuse.json": json.dumps({"run": run}),
        "saved_model.pb": text,
    }.items():
        (export / name).parent.mkdir(parents=True, exist_ok=True)
        (export / name).write_text(content)
    (outputs["blessing"] / ("BLESSED" if parameters.blessed else "NOT_BLESSED")).touch()
""",
)
PACKAGES = {"toy_read": READ, "toy_double": DOUBLE, "toy_join": JOIN, "toy_train": TRAIN}


@pytest.fixture
def forget_code():
    """Returns a function that makes the source be read anew."""
    return _forget_code


def _forget_code():
    for cached in (content.fingerprint_code, content._find_source, content._imports):
        cached.cache_clear()


@pytest.fixture
def toys(import_components):
    """Returns the small components by the names of their packages."""
    _forget_code()
    return import_components(PACKAGES)


@pytest.fixture
def diamond(toys, tmp_path):
    """Returns a function that makes a pipeline: a file, read, doubled in two ways, joined."""
    table = tmp_path / "table"
    table.write_text("a")

    def make(first="+", second="-", pause=0.0):
        examples = Output("Read", "examples")
        doubles = {
            name: Node(
                toys["toy_double"],
                {"examples": examples},
                toys["toy_double"].make_parameters({"by": by, "pause": pause}),
                name,
            )
            for name, by in (("Plus", first), ("Minus", second))
        }
        read = Node(toys["toy_read"], {}, toys["toy_read"].make_parameters({"file": str(table)}))
        joined = {"first": Output("Plus", "examples"), "second": Output("Minus", "examples")}
        return Pipeline("diamond", [Node(toys["toy_join"], joined), *doubles.values(), read])

    make.table = table
    return make


@pytest.fixture
def push(toys, tmp_path):
    """Returns a function that runs a pipeline: a file, read, a model of it, pushed.

    With `looked_at`, another step reads the file, and nothing what it makes.
    """
    table = tmp_path / "table"
    table.write_text("t")
    root = tmp_path / "work" / "pipeline"

    def go(words="a", *, blessed=True, looked_at=False, **parameters):
        read = Node(toys["toy_read"], {}, toys["toy_read"].make_parameters({"file": str(table)}))
        train = Node(
            toys["toy_train"],
            {"examples": Output("Read", "examples")},
            toys["toy_train"].make_parameters({"words": words, "blessed": blessed}),
        )
        given = {"destination": str(go.destination), **parameters}
        pusher = make_node(
            "Pusher",
            model=Output("Train", "model"),
            model_blessing=Output("Train", "blessing"),
            **given,
        )
        examples = {"examples": Output("Read", "examples")}
        look = [Node(toys["toy_double"], examples, name="Look")] if looked_at else []
        pipeline = Pipeline("shop", [read, train, pusher, *look])
        return Runner(root, say=lambda line: None).run(pipeline)

    go.root, go.workdir, go.destination = root, root.parent, root.parent / "serving"
    go.table = table
    return go


@pytest.fixture(scope="session")
def shop():
    """Returns a maker of products with a picture, a title, a price, a colour and a label."""
    return Shop()


class Shop:
    """Makes products, and the statistics that StatisticsGen makes of them.

    Lists of products that were summarized must not change.
    """

    label = ("category", "subcategory")
    columns = tuple(
        Column(name, kind, "as the test says")
        for name, kind in {
            "id": "id",
            "image": "image",
            "title": "text",
            "price": "number",
            "colour": "category",
            "category": "label",
            "subcategory": "label",
            "note": "ignored",
        }.items()
    )
    _WORDS = ("smart", "small", "large", "lamp", "watch", "ring", "drone", "steel", "white", "with")
    _CLASSES = (("Home", "Lamp"), ("Home", "Plug"), ("Worn", "Watch"), ("Worn", "Ring"))

    def __init__(self):
        self._summaries = {}

    def products(self, count, seed=0):
        """Returns products."""
        rng = np.random.default_rng(seed)
        return [self._product(rng, row) for row in range(count)]

    def change(self, product, **values):
        """Returns a product with other values; `None` takes one away."""
        kept = {name: value for name, value in product.values.items() if name not in values}
        told = {name: value for name, value in values.items() if value is not None}
        return dataclasses.replace(product, values=kept | told)

    def write_examples(self, folder, splits, shards=2):
        """Writes an artifact of examples."""
        for split, products in splits.items():
            for index in range(shards):
                path = shard_path(folder, split, index, shards)
                write_shard(path, products[index::shards])
        rows = {split: len(products) for split, products in splits.items()}
        ExamplesInfo(self.columns, self.label, dict.fromkeys(splits, shards), rows).write(folder)
        return folder

    def summarize(self, products):
        """Returns the summary of some products."""
        known, summary = self._summaries.get(id(products), (None, None))
        if known is products:
            return summary
        summary = SplitSummary(self.columns, self.label)
        for product in products:
            summary.add(product)
        self._summaries[id(products)] = products, summary
        return summary

    def write_statistics(self, folder, splits):
        """Writes an artifact of statistics, without the page."""
        for split, products in splits.items():
            summary = self.summarize(products)
            dataset = statistics_pb2.DatasetFeatureStatistics()
            summary.write(dataset, split)
            write_statistics(folder, dataset, summary.records())
            write_contents(split_folder(folder, split) / CONTENTS, summary.contents())
        return folder

    def _product(self, rng, row):
        words = rng.choice(self._WORDS, rng.integers(5, 10))
        category, subcategory = self._CLASSES[rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])]
        colour = rng.choice(["red", "green", "blue"], p=[0.5, 0.3, 0.2])
        values = {
            "id": b"p%d" % row,
            "image": self._picture(rng),
            "title": f"{' '.join(words)} {row}".encode(),
            "price": float(np.float32(round(rng.lognormal(4, 0.8), 2))),
            "colour": str(colour).encode(),
            "category": category.encode(),
            "subcategory": subcategory.encode(),
            "note": b"n",
        }
        for name in ("image", "title", "price", "colour"):
            if rng.random() < 0.1:
                del values[name]
        return Example(f"p{row}", row, values)

    def _picture(self, rng):
        buffer = io.BytesIO()
        pixels = rng.integers(0, 255, (8, 9, 3), np.uint8).repeat(3, axis=0).repeat(3, axis=1)
        Image.fromarray(pixels).save(buffer, "PNG")
        return buffer.getvalue()
