"""COCO's captions in the publisher's JSON, on a small tree."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.corpora import coco
from pipeline.corpora.fetching.files import RemoteFile
from pipeline.errors import UserError


def annotations(folder: str, numbers: list[int], sentences: int = 5) -> dict[str, Any]:
    return {
        "info": {"year": 2014}, "licenses": [],
        "images": [{"id": number, "file_name": f"COCO_{folder}_{number:012d}.jpg", "width": 9,
                    "height": 9, "license": 1} for number in numbers],
        "annotations": [{"image_id": number, "id": 10 * number + place,
                         "caption": f"A picture  {number} for\n sentence {place}. "}
                        for place in range(sentences) for number in numbers]}


def write(tree: Path, folder: str, content: Any) -> None:
    path = tree / "annotations" / f"captions_{folder}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder, numbers in (("train2014", [9, 25]), ("val2014", [42, 7, 139, 73, 74])):
        content = annotations(folder, numbers)
        write(tmp_path / "tree", folder, content)
        (tmp_path / "tree" / folder).mkdir()
        for image in content["images"]:
            Image.new("L", (9, 9)).save(tmp_path / "tree" / folder / image["file_name"])
    return tmp_path / "tree"


def test_pictures_and_their_sentences(tree: Path) -> None:
    first, second = coco.captioned(tree, "train")
    assert (first.id, second.id) == ("COCO_train2014_000000000009", "COCO_train2014_000000000025")
    assert first.sentences == [f"A picture 9 for sentence {place}." for place in range(5)]
    assert first.path.is_file() and first.scene is None and first.likeliest is None


def test_the_validation_pictures_are_divided_by_number(tree: Path) -> None:
    valid, test = ([int(item.id[-12:]) for item in coco.captioned(tree, split)]
                   for split in ("valid", "test"))
    assert (valid, test) == ([7, 42], [73, 74, 139])


@pytest.mark.parametrize(("change", "message"), [
    (lambda found: found["annotations"].append({"image_id": 1, "caption": "Nothing."}),
     "a sentence about picture 1, which is not among the images"),
    (lambda found: found["images"].append({"id": 26, "file_name": "COCO_26.jpg"}),
     "picture 26 has no sentence"),
    (lambda found: found["annotations"][0].update(caption=" \n"), "picture 9 has no sentence, or"),
    (lambda found: found["images"][0].update(file_name="away.jpg"),
     "picture 9 has sentences but there is no .*away.jpg"),
    (lambda found: found["annotations"][3].pop("caption"), "expected 'caption' .str. in each"),
    (lambda found: found["images"].append(3), "expected 'id' .int. in each record, got 3"),
    (lambda found: found["images"].append({"id": 25, "file_name": "COCO_25.jpg"}),
     "picture 25 is among the images twice"),
    (lambda found: found["images"][0].update(file_name="COCO_train2014_000000000025.png"),
     "pictures 9 and 25 have one file or one name"),
    (lambda found: found["images"][0].update(file_name="../val2014/COCO_val2014_000000000007.jpg"),
     "picture 9: .* is no name of a file in"),
    (lambda found: found.pop("annotations"), "expected a list 'annotations'"),
    (lambda found: found.update(images=[]), "expected a list 'images'"),
])
def test_what_does_not_fit_is_named(tree: Path, change: Any, message: str) -> None:
    content = annotations("train2014", [9, 25])
    change(content)
    write(tree, "train2014", content)
    with pytest.raises(UserError, match=rf"captions_train2014.json: {message}"):
        coco.captioned(tree, "train")


def test_damaged_annotations_are_named(tree: Path) -> None:
    (tree / "annotations/captions_val2014.json").write_text('{"images": [')
    with pytest.raises(UserError, match="captions_val2014.json, line 1: not valid JSON"):
        coco.captioned(tree, "test")


def test_the_archives_of_a_mirror_are_unpacked(tree: Path, tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    files = []
    for published in coco.FILES:
        archive = tmp_path / "mirror" / str(published.mirror)
        archive.parent.mkdir(parents=True, exist_ok=True)
        folder = "annotations" if "annotations" in published.path else archive.stem
        with zipfile.ZipFile(archive, "w") as packed:
            for path in sorted((tree / folder).iterdir()):
                packed.write(path, path.relative_to(tree))
        files.append(RemoteFile(published.path, published.mirror, published.url,
                                sha256=hashlib.sha256(archive.read_bytes()).hexdigest()))
    monkeypatch.setattr(coco, "FILES", files)
    coco.prepare(coco.Settings(module="coco"), tmp_path / "data", tmp_path / "mirror")
    assert [len(coco.captioned(tmp_path / "data", split))
            for split in ("train", "valid", "test")] == [2, 2, 3]
