"""The program on a folder with a network that tells what it was given."""

import hashlib
import io
import json

import pytest
import tensorflow as tf
from PIL import Image

from serving.edge.__main__ import main
from serving.edge.classifier import NO_CLASS_LEFT, Classifier

LABELS = ["picture", "price", "text", "nothing"]
BRANCHES = [
    ("image_bytes", "image", ["photo"], "tiny_image", {"image_size": 4}, {}),
    ("text", "text", ["title", "description"], "tiny_text", {"max_tokens": 6}, {}),
    ("price", "number", ["price"], "piecewise", {"log": False}, {"edges": [0.0, 10.0, 2000.0]}),
]


SPECS = {
    "image_bytes_tiny_image_pixels": tf.TensorSpec([1, 4, 4, 3], tf.uint8),
    "image_bytes_present": tf.TensorSpec([1], tf.bool),
    "text_tiny_text_token_ids": tf.TensorSpec([1, 6], tf.int32),
    "text_present": tf.TensorSpec([1], tf.bool),
    "price_piecewise_bins": tf.TensorSpec([1, 2], tf.float32),
    "price_present": tf.TensorSpec([1], tf.bool),
}


class Network(tf.Module):
    """Adds up what it sees: red pixels, a high price, words."""

    @tf.function
    def score(self, **given):
        picture, price, text = (
            tf.cast(given[f"{name}_present"], tf.float32)
            for name in ("image_bytes", "price", "text")
        )
        red = tf.reduce_mean(tf.cast(given["image_bytes_tiny_image_pixels"][..., 0], tf.float32))
        words = tf.reduce_sum(tf.cast(given["text_tiny_text_token_ids"] > 0, tf.float32))
        bins = tf.reduce_sum(given["price_piecewise_bins"], axis=-1)
        parts = [picture * red / 100, price * bins * 2, text * words / 2, tf.constant([0.5])]
        return {"scores": tf.nn.softmax(tf.stack(parts, axis=-1))}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network")
    module = Network()
    specs = {name: tf.TensorSpec(of.shape, of.dtype, name) for name, of in SPECS.items()}
    score = module.score.get_concrete_function(**specs)
    tf.saved_model.save(module, str(path), signatures={"serving_default": score})
    return tf.lite.TFLiteConverter.from_saved_model(str(path)).convert()


@pytest.fixture
def card(network):
    branches = [
        {
            "name": f"{name}_{encoder}",
            "input": {"name": name, "kind": kind, "columns": columns},
            "encoder": encoder,
            "options": options,
            "state": state,
        }
        for name, kind, columns, encoder, options, state in BRANCHES
    ]
    variant = {"file": "model.tflite", "sha256": hashlib.sha256(network).hexdigest()}
    return {"class_names": LABELS, "rules": [], "variants": {"a": variant}, "branches": branches}


@pytest.fixture
def folder(tmp_path, network, card):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.tflite").write_bytes(network)
    (tmp_path / "model" / "edge.json").write_text(json.dumps(card))
    return tmp_path / "model"


@pytest.fixture
def ask(folder, capfd):
    """Returns a function that runs the program: exit status, answers, stderr."""

    def run(*arguments):
        try:
            code = main(["--model", str(folder), *map(str, arguments)])
        except SystemExit as error:
            code = error.code
        out, told = capfd.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], told

    return run


def write_picture(path, colour="red", **options):
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(buffer, "PNG", **options)
    path.write_bytes(buffer.getvalue())
    return path


def test_a_product_is_answered_from_what_can_be_read(ask, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    words = ["--text", "red mug of clay"]
    expected = ask(*words)[1][0]
    code, (told,), _ = ask("--picture", tmp_path / "bad.jpg", *words)
    assert code == 0
    assert told["status"] == "image_bytes: not a picture"
    assert (told["id"], told["label"], told["scores"]) == ("bad.jpg", "text", expected["scores"])
    assert expected["status"] == "ok"
    code, (told,), _ = ask("--value", "price=1e60", *words)
    assert (code, told["scores"]) == (0, expected["scores"])
    assert told["status"] == "price: not a finite number: '1e60'"


def test_where_nothing_is_left_it_says_so(ask, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    code, (told,), _ = ask("--picture", tmp_path / "bad.jpg")
    assert code == 1
    assert told["label"] == "nothing"
    assert told["status"] == "image_bytes: truncated or broken; nothing to go by"


def test_a_picture_that_only_its_decoder_refuses_is_left_out(folder, monkeypatch):
    from serving.edge.pictures import encoder

    real = encoder.decode_pictures

    def fail(values, size):
        if values[0]:
            raise ValueError("Picture of row 0: broken")
        return real(values, size)

    monkeypatch.setattr(encoder, "decode_pictures", fail)
    answer = Classifier(folder).answer(
        {"image_bytes": write_picture(folder / "a.png").read_bytes(), "text": b"mug"}
    )
    assert answer.status == "image_bytes: Picture of row 0: broken"
    assert answer.label == Classifier(folder).answer({"text": "mug"}).label


def test_rules_that_exclude_every_class_are_ignored(folder, card):
    card["rules"] = [
        {"label": label, "input": "price", "test": "below", "value": 10} for label in LABELS
    ]
    (folder / "edge.json").write_text(json.dumps(card))
    assert Classifier(folder).answer({"price": "1,299"}).status == NO_CLASS_LEFT
    assert Classifier(folder).answer({"price": "9"}).status == "ok"


def test_numbers_and_texts_are_read_as_people_write_them(folder):
    classifier = Classifier(folder)

    def scores(**row):
        return classifier.answer(row).scores.tolist()

    assert scores(price="Rs. 1,299") == scores(price=1299.0) != scores(price=1.299)
    assert scores(text="re\x00d") == scores(text=b"re d") != scores(text="red")
    told = ["Cafe\u0301 mug", "of\nclay"]
    product = classifier.reader.read({"text": told})
    assert product.values["text"] == "Café mug\nof clay".encode()
    assert classifier.reader.read({"text": "\n".join(told)}).values == product.values


def test_pictures_of_a_folder_are_read_one_by_one(ask, tmp_path, monkeypatch):
    photos = tmp_path / "photos"
    (photos / "more.jpg").mkdir(parents=True)
    for name in ("a.png", "c.PNG"):
        write_picture(photos / name)
    (photos / "b.jpg").symlink_to(photos / "nowhere.jpg")
    (photos / "d.png").write_bytes(bytes(200_000))
    (photos / "Thumbs.db").write_bytes(b"no picture")
    monkeypatch.setattr("serving.edge.reading.files.MAX_FILE_BYTES", 100_000)
    code, told, notes = ask("--pictures", photos)
    assert code == 1
    assert [(of["id"], of["status"]) for of in told] == [
        ("a.png", "ok"),
        ("b.jpg", "image_bytes: file not found: b.jpg; nothing to go by"),
        ("c.PNG", "ok"),
        ("d.png", "image_bytes: larger than 0 MB: d.png; nothing to go by"),
    ]
    assert notes == "Note: Thumbs.db is left out: no picture by its name.\n"
    # Once answered, a picture is forgotten; the others were not touched.
    answered = []

    def answer_then_stop(self, row):
        answered.append(len(row["image_bytes"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(Classifier, "answer", answer_then_stop)
    monkeypatch.setattr("pathlib.Path.read_bytes", count_reads(folder_reads := []))
    with pytest.raises(KeyboardInterrupt):
        ask("--pictures", photos)
    assert [path.name for path in folder_reads if path.parent == photos] == ["a.png"]
    assert len(answered) == 1


def count_reads(paths):
    from pathlib import Path

    real = Path.read_bytes

    def read(self):
        paths.append(self)
        return real(self)

    return read


def test_a_picture_that_the_memory_cannot_hold_does_not_end_the_folder(ask, tmp_path, monkeypatch):
    from serving.edge.pictures import standardize

    real = standardize._check

    def fail(image, encoded):
        if image.width > 20:
            raise MemoryError
        return real(image, encoded)

    monkeypatch.setattr(standardize, "_check", fail)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (30, 10)).save(tmp_path / "photos" / "a.png")
    write_picture(tmp_path / "photos" / "b.png")
    code, told, _ = ask("--pictures", tmp_path / "photos")
    assert code == 1
    assert [of["status"] for of in told] == ["not enough memory here to answer it", "ok"]


def test_a_folder_of_bad_pictures_is_answered_from_its_words(ask, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"no picture")
    code, (told,), _ = ask("--pictures", tmp_path / "photos", "--text", "red mug of clay")
    assert (code, told["label"]) == (0, "text")
    assert told["status"] == "image_bytes: not a picture"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--value", "price=abc"], "--value price must be a number. Received: 'abc'"),
        (["--value", "prize=1"], "Unknown input"),
        (["--value", "image_bytes=@nowhere.jpg"], "file not found: nowhere.jpg"),
        (["--picture", "nowhere.jpg"], "--picture must be a file. Received: nowhere.jpg"),
        (["--pictures", "nowhere"], "nowhere"),
        (["--table", "nowhere.csv"], "nowhere.csv"),
        (["--table", "products.xlsx"], r"one of ['.csv', '.tsv']. Received: products.xlsx"),
        (["--text", "mug", "--top=-1"], "--top: must be a number from 1 on. Received: '-1'"),
        (["--picture", "a.jpg", "--pictures", "b"], "not allowed with"),
        ([], "Nothing to classify"),
    ],
)
def test_wrong_calls_say_what_to_do(ask, arguments, message):
    code, told, error = ask(*arguments)
    assert (code, told) == (2, [])
    assert message in error


def drop_branch(card):
    del card["branches"][0]


def repeat_branch(card):
    card["branches"].append({**card["branches"][1], "name": "another"})


def widen(card):
    card["branches"][0]["options"] = {"image_size": 5}


def drop_class(card):
    card["class_names"] = LABELS[:3]


def ask_for_unknown(card):
    card["rules"] = [{"label": "price", "input": "prise", "test": "above", "value": 1}]


BROKEN = [
    (drop_branch, r"does not make \['image_bytes_present', 'image_bytes_tiny_image_pixels'\]"),
    (repeat_branch, r"does not read, and its preprocessing makes \['another_token_ids'\]"),
    (widen, r"another shape or type \['image_bytes_tiny_image_pixels'\]"),
    (drop_class, "scores of 4 classes, .* names 3"),
    (ask_for_unknown, "unknown input.*Received: 'prise'"),
    (lambda card: card["variants"].clear(), "'variants' are empty"),
    (lambda card: card.clear(), "needs 'variants', a dict"),
    (lambda card: card["branches"][2].update(state={}), "lacks 'edges'"),
    (lambda card: card["branches"][2].pop("encoder"), "lacks 'encoder'"),
    (lambda card: card["branches"][2].update(encoder="fft"), "Unknown encoder"),
    (lambda card: card["branches"].append(3), "cannot be used"),
    (lambda card: card["variants"]["a"].pop("file"), "needs 'file' and 'sha256'"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_folders_that_do_not_fit_together_are_refused(folder, card, ask, change, message):
    change(card)
    (folder / "edge.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match=message) as error:
        Classifier(folder)
    assert str(folder / "edge.json") in str(error.value)
    code, told, shown = ask("--text", "mug")
    assert (code, told, shown) == (2, [], f"{error.value}\n")


@pytest.mark.parametrize("content", [b'{"variants": ', b"", b"\xff\xfe", b"[]", b"3"])
def test_broken_json_is_named(folder, ask, content):
    (folder / "edge.json").write_bytes(content)
    code, told, shown = ask("--text", "mug")
    assert (code, told) == (2, [])
    assert str(folder / "edge.json") in shown


def test_a_network_that_is_none_is_named(folder, card, ask):
    (folder / "model.tflite").write_bytes(b"no network")
    card["variants"]["a"]["sha256"] = hashlib.sha256(b"no network").hexdigest()
    (folder / "edge.json").write_text(json.dumps(card))
    code, _, shown = ask("--text", "mug")
    assert code == 2
    assert f"{folder / 'model.tflite'} is no network" in shown


def test_a_table_is_answered_row_by_row(ask, tmp_path):
    (tmp_path / "photos").mkdir()
    write_picture(tmp_path / "photos" / "a.png")
    lines = [
        "id,image_bytes,text,price,shelf",
        "m1,photos\\a.png,,,",
        'm2,,"red mug\nof clay","1,299",',
        "m3,photos/b.png,red mug of clay,,",
        "m4,,mug",
        "",
        ",,",
        'm8,,"red" mug,,',
        "m5,,red mug,cheap,",
        "m6,,red \udcff mug of clay,,",
        ",,,,",
    ]
    table = tmp_path / "products.csv"
    table.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    code, told, notes = ask("--table", table)
    assert (code, notes) == (1, "")
    assert {of["id"]: (of.get("label"), of["status"]) for of in told} == {
        "m1": ("picture", "ok"),
        "m2": ("price", "ok"),
        "m3": ("text", "image_bytes: file not found: photos/b.png"),
        "m4": (None, "3 cells in a table of 5 columns"),
        "m5": ("text", "price: not a number: 'cheap'"),
        "m6": ("text", "text: not UTF-8; the broken characters were not read"),
        "4": (None, "broken CSV in line 9: ',' expected after '\"'"),
        "7": ("nothing", "nothing to go by"),
    }


def test_a_table_may_have_the_columns_of_training(ask, tmp_path):
    table = tmp_path / "products.tsv"
    table.write_text("title\tdescription\nred mug\tof clay\n")
    code, (told,), notes = ask("--table", table)
    assert (code, told["id"], told["label"], told["status"]) == (0, "0", "text", "ok")
    assert notes == f"Note: {table} has no column 'photo', 'price'.\n"
    assert told["scores"] == ask("--text", "red mug\nof clay")[1][0]["scores"]


def test_a_quote_that_never_ends_is_one_broken_row(ask, tmp_path):
    (tmp_path / "products.csv").write_text('text,,\nred mug of clay,,\n"red,,\nmug,,\n')
    code, told, _ = ask("--table", tmp_path / "products.csv")
    assert code == 1
    assert [of["status"] for of in told] == ["ok", "broken CSV in line 4: unexpected end of data"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "no column that the model reads"), ("a,b\n1,2\n", "no column"), ("text,text\n", "twice")],
)
def test_tables_that_say_nothing_are_refused(ask, tmp_path, content, message):
    (tmp_path / "products.csv").write_text(content)
    code, told, shown = ask("--table", tmp_path / "products.csv")
    assert (code, told) == (2, [])
    assert message in shown
