"""CoNLL-U: the treebank's counts, the twin's sentences, every kind of damage."""

from pathlib import Path

import pytest

from pipeline.corpora import ud_ewt
from pipeline.corpora.twins.ewt_twin import TwinSettings, known, universal
from pipeline.corpora.twins.grammar import english
from pipeline.corpora.twins.grammar.lexicon import FULL
from pipeline.corpora.twins.grammar.synchronous import leaves
from pipeline.errors import UserError
from tests.corpora.twins.chart import parses

TWIN = ud_ewt.Settings(module="ud_ewt", twin=TwinSettings(seed=5, train=300, dev=40, test=200,
                                                         withheld=5))


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twin")
    ud_ewt.prepare(TWIN, folder, None)
    return folder


def test_the_real_treebank_has_its_published_counts(mirror: Path, tmp_path: Path) -> None:
    ud_ewt.prepare(ud_ewt.Settings(module="ud_ewt", twin=None), tmp_path, mirror)
    found = {split: ud_ewt.tagged(tmp_path, split, "xpos") for split in ("train", "dev", "test")}
    assert {split: (len(items), sum(len(item.words) for item in items))
            for split, items in found.items()} == {
        "train": (12_544, 204_577), "dev": (2_001, 25_147), "test": (2_077, 25_094)}
    first = found["train"][0]
    assert first.id == "weblog-juancole.com_juancole_20051126063000_ENG_20051126_063000-0001"
    assert list(zip(first.words, first.tags, strict=True))[:4] == [
        ("Al", "NNP"), ("-", "HYPH"), ("Zaman", "NNP"), (":", ":")]
    assert {split: len({item.cluster for item in items}) for split, items in found.items()} == {
        "train": 540, "dev": 318, "test": 316}
    assert first.id.startswith(first.cluster)
    universal_tags = {tag for item in ud_ewt.tagged(tmp_path, "dev", "upos") for tag in item.tags}
    assert len(universal_tags) == 17 and "NOUN" in universal_tags


def test_the_twin_is_tagged_as_its_only_derivation(twin: Path) -> None:
    checked = 0
    for item in ud_ewt.tagged(twin, "test", "xpos")[:100]:
        words = [word.lower() for word in item.words[:-1]]
        if len(words) <= 7:
            found = parses(english.grammar(), ["a" if word == "an" else word for word in words])
            assert [[leaf.word.tag for leaf in leaves(tree)] for tree in found
                    ] == [item.tags[:-1]], item
            checked += 1
    assert checked > 30


def test_names_and_first_words_have_a_capital_and_a_full_stop_closes(twin: Path) -> None:
    for item in ud_ewt.tagged(twin, "dev", "xpos"):
        assert (item.words[-1], item.tags[-1]) == (".", ".")
        assert [word[0].isupper() for word in item.words] == [
            tag == "NNP" or place == 0 for place, tag in enumerate(item.tags)]


def test_withheld_words_are_met_after_training_only(twin: Path) -> None:
    train, test = ({word.lower() for item in ud_ewt.tagged(twin, split, "xpos")
                    for word in item.words} for split in ("train", "test"))
    assert known(FULL, 5).men_names == "john peter paul david george henry martin robert"
    assert known(FULL, 5).modals == FULL.modals  # small classes stay whole
    withheld = {"thomas", "simon", "car", "cars", "table"}
    assert not withheld & train and len(withheld & test) >= 3


def test_universal_tags_of_the_twin(twin: Path) -> None:
    columns = [ud_ewt.tagged(twin, "dev", column) for column in ("xpos", "upos")]
    assert {item.id for item in columns[0]} == {item.id for item in columns[1]}
    for xpos, upos in zip(*columns, strict=True):
        assert upos.tags == [universal(word, tag) for word, tag in zip(xpos.words, xpos.tags,
                                                                      strict=True)]
    assert [universal(*pair) for pair in (("Was", "VBD"), ("saw", "VBD"), ("saw", "NN"),
                                          ("If", "IN"), ("near", "IN"), ("that", "WDT"))
            ] == ["AUX", "VERB", "NOUN", "SCONJ", "ADP", "PRON"]


def test_the_same_seed_writes_the_same_bytes_and_splits_differ(twin: Path, tmp_path: Path) -> None:
    ud_ewt.prepare(TWIN, tmp_path, None)
    for path in sorted(twin.iterdir()):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
    dev, test = (ud_ewt.tagged(twin, split, "xpos") for split in ("dev", "test"))
    assert [item.words for item in dev] != [item.words for item in test[:40]]


def test_the_twins_documents_are_seven_sentences_each(twin: Path) -> None:
    found = [item.cluster for item in ud_ewt.tagged(twin, "test", "xpos")]
    assert len(set(found)) == 29
    assert found[6:8] == ["test-document-0001", "test-document-0002"]


def test_a_document_goes_on_to_the_next_one(tmp_path: Path) -> None:
    word = WORD.format(1, "a") + "\n"
    text = f"# newdoc id = d 1\n{word}{word}# newdoc\n{word}# newdoc\n{word}# newdoc id = e\n{word}"
    found = ud_ewt.tagged(write(tmp_path, text), "dev", "xpos")
    assert [item.cluster for item in found] == [
        "d 1", "d 1", "newdoc of line 6", "newdoc of line 9", "e"]


WORD = "{}\t{}\t_\tNOUN\tNN\t_\t_\t_\t_\t_\n"


def write(folder: Path, text: str) -> Path:
    (folder / "en_ewt-ud-dev.conllu").write_bytes(text.encode("utf-8"))
    return folder


def test_ranges_empty_nodes_and_comments_are_no_words(tmp_path: Path) -> None:
    text = ("# newdoc\n# sent_id = a-1\n# text = don't go\n" + WORD.format("1-2", "don't")
            + WORD.format(1, "do") + WORD.format(2, "n't") + WORD.format("2.1", "you")
            + WORD.format(3, "go") + "\n" + WORD.format(1, "#"))  # no empty line at the end
    found = ud_ewt.tagged(write(tmp_path, text), "dev", "xpos")
    assert [(item.id, item.words) for item in found] == [("a-1", ["do", "n't", "go"]),
                                                         ("dev-00002", ["#"])]
    assert found[0].tags == ["NN"] * 3


@pytest.mark.parametrize("text, message", [
    ("1\tfew\tcolumns\n\n", r"dev.conllu, line 1: expected 10 columns apart by tabs, got 3"),
    (WORD.format(1, "a") + WORD.format(3, "c") + "\n", "line 2: expected word 2 .* got id '3'"),
    (WORD.format("x", "a") + "\n", "line 1: expected word 1 .* got id 'x'"),
    (WORD.format(1, "") + "\n", "line 1: expected word 1 .* form ''"),
    ("# sent_id = a\n# text =\n\n", "line 3: a sentence ends that has no words"),
    ("# newdoc\n" + WORD.format(1, "a").replace("NN", "_") + "\n", "line 2: 'a' has no XPOS tag"),
    ("# newdoc\n# sent_id = a\n" + WORD.format(1, "a") + "\n# sent_id = a\n" + WORD.format(1, "b"),
     "the sentences at lines 3 and 6 have one id, 'a'"),
    ("# sent_id = a\n" + WORD.format(1, "a"), "line 2: no '# newdoc' stands before this sentence"),
    ("# newdoc id = d\n" + WORD.format(1, "a") + "\n# newdoc id = d\n" + WORD.format(1, "b"),
     "the documents at lines 1 and 4 have one id, 'd'"),
    ("", "dev.conllu is empty"), ("\n\n", "holds no sentences"),
], ids=["columns", "skipped id", "no id", "no form", "empty sentence", "no tag", "twice",
        "no document", "a document twice", "empty", "blank"])
def test_damage_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ud_ewt.tagged(write(tmp_path, text), "dev", "xpos")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="en_ewt-ud-train.conllu does not exist"):
        ud_ewt.tagged(tmp_path, "train", "upos")
