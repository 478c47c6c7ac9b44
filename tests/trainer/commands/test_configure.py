from argparse import Namespace

from trainer.commands.configure import configure


def test_files_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bert").mkdir()
    settings = [
        "data.taxonomy=taxonomy.json",
        "data.slices=slices.csv",
        "model.encoders.text.bert.adapter=bert",
        "model.encoders.text.bert.weights=package:of_some_name",
    ]
    config = configure(
        Namespace(
            data="products.csv",
            label="category",
            label_separator="",
            ignore="",
            unlabeled="more.csv",
            config="default",
            set=settings,
        )
    )
    for name in ("table", "taxonomy", "slices", "unlabeled"):
        assert getattr(config.data, name).startswith(f"{tmp_path}/"), name
    assert config.data.suspicious == ""
    options = config.model.encoders["text"]["bert"]
    assert options["adapter"] == f"{tmp_path}/bert"
    assert options["weights"] == "package:of_some_name"


def test_a_data_set_is_no_file():
    options = dict.fromkeys(("label", "label_separator", "ignore", "unlabeled"), "")
    asked = Namespace(data="tfds:mnist", config="default", set=[], **options)
    assert configure(asked).data.table == "tfds:mnist"
