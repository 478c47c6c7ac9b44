"""Which files a run depends on, whatever the cells of its pictures say."""

import pytest

from components.content import fingerprint
from components.sources.files_read import files_read


@pytest.fixture
def write(tmp_path):
    """Returns a function that writes a table with the given cells of pictures."""

    def go(*cells, name="image"):
        path = tmp_path / "products.csv"
        rows = [f'{row},"{cell}"' for row, cell in enumerate(cells)]
        path.write_text("\n".join([f"id,{name}", *rows]) + "\n")
        return path

    (tmp_path / "images").mkdir()
    for name in ("0.jpg", "1.jpg", "2.jpg"):
        (tmp_path / "images" / name).write_text(name)
    return go


PICTURES = ("images/0.jpg", "images\\1.jpg", "images/2.jpg", "images/none.jpg")


@pytest.mark.parametrize(
    "odd", [".", "images", "images/", "/", "..", "x" * 300, f"{'y' * 300}.jpg"]
)
def test_a_cell_that_names_no_file_is_no_file(write, tmp_path, odd):
    path = write(*PICTURES, odd)
    found = files_read(str(path), kinds={"image": "image"})
    names = ("0.jpg", "1.jpg", "2.jpg", "none.jpg")
    assert found == [path, *(tmp_path / "images" / name for name in names)]
    first = fingerprint(found)
    (tmp_path / "images" / "of-nobody.jpg").write_text("as a run leaves it")
    assert fingerprint(files_read(str(path))) == first


def test_a_name_that_cannot_be_looked_up_is_no_reason_to_stop(write, tmp_path, monkeypatch):
    path = write(*PICTURES[:3])
    is_dir = type(path).is_dir

    def refuse(of):
        if of.name == "2.jpg":
            raise PermissionError(13, "Permission denied", str(of))
        return is_dir(of)

    monkeypatch.setattr(type(path), "is_dir", refuse)
    assert files_read(str(path)) == [path, *(tmp_path / "images" / f"{n}.jpg" for n in range(2))]


def test_pictures_without_an_ending_are_found_by_their_files(write, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "images" / name).write_text(name)
    path = write("images/a", "images/b", "images/gone", "z" * 300, name="photo")
    assert files_read(str(path)) == [path]
    path = write("images/a", "images/b", "images/gone", name="photo")
    assert files_read(str(path)) == [path, *(tmp_path / "images" / n for n in ("a", "b", "gone"))]
    first = fingerprint(files_read(str(path)))
    (tmp_path / "images" / "a").write_text("another picture")
    assert fingerprint(files_read(str(path))) != first
