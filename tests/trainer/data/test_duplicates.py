import io

import numpy as np
import pandas as pd
from PIL import Image

from trainer.data.duplicates import group_near_duplicates
from trainer.data.table import read_table
from trainer.inputs import InputSpec

INPUTS = (
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title", "description")),
    InputSpec("price", "number", ("price",)),
)
TITLES = [
    "Blue ceramic mug with a gold rim",
    "Steel frying pan for four eggs",
    "Wooden toy train with seven cars",
    "Leather belt in dark brown colour",
    "Cotton blanket for babies and toddlers",
    "Wireless headphones with charging case",
]


def _picture(seed):
    noise = np.random.default_rng(seed).integers(0, 256, (8, 10, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((100, 80)).save(buffer, "PNG")
    return buffer.getvalue()


def test_groups_by_picture_and_text_in_chains():
    frame = pd.DataFrame(
        {
            # 0 and 4 share a picture, 4 and 5 a text; 1 has nothing; 2 and 3 share a price only.
            "image": [_picture(0), None, _picture(1), _picture(2), _picture(0), _picture(3)],
            "title": [TITLES[0], None, TITLES[1], TITLES[2], TITLES[3], TITLES[3].upper()],
            "price": [1.0, None, 5.0, 5.0, 2.0, 3.0],
        }
    )
    # The column `description` is missing: the others are compared.
    assert group_near_duplicates(read_table(frame), INPUTS).tolist() == [0, 1, 2, 3, 0, 0]


def test_rows_alone_without_evidence():
    frame = pd.DataFrame({"price": [1.0, 1.0, 1.0]})
    assert group_near_duplicates(read_table(frame), INPUTS).tolist() == [0, 1, 2]
    assert group_near_duplicates(read_table(frame.head(0)), INPUTS).tolist() == []


def test_a_placeholder_does_not_chain_the_catalogue():
    frame = pd.DataFrame({"image": [_picture(0)] * 40, "title": [""] * 40})
    assert group_near_duplicates(read_table(frame), INPUTS).tolist() == list(range(40))
