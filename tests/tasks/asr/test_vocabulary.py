"""What is known of words comes from the features, and is kept with the weights that were tried."""

import json
from pathlib import Path

import pytest

from pipeline.decoding.network import Weights
from pipeline.errors import UserError
from pipeline.storage.files import write_json
from pipeline.tasks.asr.shared.vocabulary import Vocabulary
from tests.tasks.asr.spoken import LEXICON, SPEC, TIED
from tests.tasks.asr.test_recogniser import DECODING, spelt
from tests.tasks.asr.weighed import pair


def test_features_without_a_dictionary_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "train.items.json", [])
    with pytest.raises(UserError, match="has no dictionary.*features.dictionary .* to true"):
        Vocabulary.of(tmp_path, SPEC)


def test_words_and_transcripts_are_those_of_the_features(tmp_path: Path) -> None:
    write_json(tmp_path / "lexicon.json", LEXICON)
    write_json(tmp_path / "train.items.json", [{"id": "1", "text": "NO ONE"}])
    found = Vocabulary.of(tmp_path, SPEC)
    assert found == Vocabulary(LEXICON, ["NO ONE"], 0.01)


def test_chosen_weights_are_kept_and_used() -> None:
    found = Vocabulary(dict(LEXICON), ["ONE TWO", "TEN"], 0.01)
    for name in ("uniform", "bigram"):
        found.choose(name, TIED, DECODING, [spelt("TEN")], ["TEN"])
    assert list(found.tried) == ["uniform", "bigram"]
    assert [(one["language"], one["word"]) for one in found.tried["bigram"]] == [
        (0.5, -2.0), (0.5, 0.0), (1.0, -2.0), (1.0, 0.0), (3.0, -2.0), (3.0, 0.0)]
    assert {one.words for one in found.tried["bigram"]} == {1}
    found.tried["bigram"] = [pair(0.5, 0.0, 2, 4), pair(3.0, -2.0, 1, 4)]
    kept = Vocabulary.restored(json.loads(json.dumps(found.texts())), SPEC)
    assert kept == found
    assert kept.recogniser("bigram", TIED, DECODING).weights == Weights(1.0, 3.0, -2.0)
