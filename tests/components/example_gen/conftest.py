"""Tables to make examples of."""

import csv

import numpy as np
import pytest
from PIL import Image

from components.example_gen.component import COMPONENT
from components.example_gen.executor import execute

WORDS = [
    "lamp",
    "desk",
    "watch",
    "strap",
    "shirt",
    "cotton",
    "blue",
    "red",
    "steel",
    "new",
    "small",
]


@pytest.fixture
def generate(tmp_path):
    """Returns a function that runs ExampleGen and returns the folder of the examples."""
    made = []

    def go(table, **parameters):
        folder, scratch = tmp_path / f"examples-{len(made)}", tmp_path / f"scratch-{len(made)}"
        folder.mkdir()
        scratch.mkdir()
        made.append(folder)
        values = COMPONENT.make_parameters({"table": str(table), **parameters})
        go.properties = execute({}, {"examples": folder}, values, scratch)
        return folder

    return go


@pytest.fixture(scope="session")
def ugly(tmp_path_factory):
    """Returns the path of a table of 60 rows with what tables of people have."""
    folder = tmp_path_factory.mktemp("ugly")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for row in range(60):
        name = f"images/{row}.{('jpg', 'png', 'webp')[row % 3]}"
        pixels = rng.integers(0, 255, (5, 7, 3), np.uint8)
        picture = Image.fromarray(pixels).resize((70, 50), Image.Resampling.NEAREST)
        picture.save(folder / name)
        title = " ".join(rng.choice(WORDS, 7))
        rows.append(
            {
                "id": f"p{row}",
                "picture": name,
                "title": f"  {title} 🎧\u00a0耳机" if row % 7 == 0 else title,
                "price": f"{rng.uniform(1, 2000):,.2f}",
                "colour": ("red", "blue", "")[row % 3],
                "shop": f"https://shop.example/{row}",
                "department": "home" if row % 2 else "worn",
                "category": ("lamps" if row % 4 == 1 else "desks") if row % 2 else "shirts",
            }
        )
    (folder / "images" / "0.jpg").write_bytes((folder / "images" / "0.jpg").read_bytes()[:200])
    Image.new("RGBA", (3000, 1000), (200, 30, 40, 90)).save(folder / "images" / "1.png")
    rows[4]["picture"] = "images/none.jpg"
    rows[5]["picture"] = ""
    rows[6]["price"] = "cheap"
    rows[7]["price"] = "€ 12,50"
    rows[8]["price"] = "1e60"
    rows[9]["title"] = ""
    rows[10]["category"] = ""
    rows[11]["department"] = rows[11]["category"] = " "
    rows[12]["title"] = 'a "quoted", long\ntext\twith all \u200b of it'
    rows[14] |= {"picture": rows[13]["picture"], "title": rows[13]["title"]}
    for column in ("picture", "title", "price", "colour"):
        rows[15][column] = ""
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "products.csv"
