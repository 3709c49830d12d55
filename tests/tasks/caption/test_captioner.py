"""The networks against the lectures' equations, and search that batching does not change."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.caption.scoring import METRICS, details, score
from pipeline.tasks.caption.shared.batching import PictureBatches
from pipeline.tasks.caption.shared.captioner import Variant
from pipeline.tasks.caption.shared.encoder import Encoder, map_side
from pipeline.tasks.caption.shared.words import BOS, EOS, PAD, UNK

SYSTEMS = [("start", {"cell": "lstm"}), ("start", {"cell": "elman"}),
           ("each-step", {"cell": "lstm"}), ("each-step", {"cell": "elman"}),
           ("each-step", {"cell": "gru-take"}), ("attention", {"cell": "lstm"}),
           ("attention", {"cell": "elman", "attention": "general"}),
           ("attention", {"cell": "lstm", "asks": "after"})]
every_system = pytest.mark.parametrize(("model", "changes"), SYSTEMS)
GREEDY = Variant(beam=1, length_normalisation=0.0)
BEAM = Variant(beam=4, length_normalisation=1.0)


@pytest.fixture
def pictures(toy) -> torch.Tensor:
    return torch.from_numpy(np.load(toy / "test/test.pictures.npy"))


@pytest.fixture
def batch(toy) -> dict:
    batches = PictureBatches(toy / "fit", "train", 6, seed=1)
    return batches.load(np.array([3, 0, 40, 7, 12, 5]))


def run(system, pictures, words):
    """What words are chosen from and the attention's weights, for one sentence a picture."""
    memory = system.remember(system.encoder(pictures))
    read, _, weights = system.states(system.embed(words), memory, system.start(memory))
    return read, weights


def elman(layer, inputs, state):
    """The lecture's h = tanh(W_xh x + W_hh h + W_ih v); W_xh and W_ih stand side by side."""
    return (torch.tanh(layer.weight_ih_l0 @ inputs + layer.bias_ih_l0 + layer.bias_hh_l0
                       + layer.weight_hh_l0 @ state[0]),)


def lstm(layer, inputs, state):
    h, c = state
    i, f, g, o = (layer.weight_ih_l0 @ inputs + layer.bias_ih_l0 + layer.bias_hh_l0
                  + layer.weight_hh_l0 @ h).chunk(4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def by_hand(system, layer, step, state, seen=None):
    """States of the sentence `WORDS`, each with what `seen` gives of the state before it."""
    states, looked = [], []
    for word in system.embedding.weight[WORDS]:
        parts = [word] if seen is None else [word, seen(state[0])]
        state = step(layer, torch.cat(parts), state)
        states.append(state[0])
        looked += parts[1:]
    return states, looked


WORDS = torch.tensor([BOS, 5, 4, 7])


def read_of_all(system, pictures):
    return run(system, pictures, WORDS.expand(len(pictures), -1))


def summary(system, picture):
    """v with the means and variances that training has found."""
    linear, norm, _ = system.summary
    product = linear.weight @ system.encoder(picture[None])[0].flatten()
    scaled = (product - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    return (scaled * norm.weight + norm.bias).relu()


def seen_by(system, pictures):
    """The system ready to be compared, after it has found means and variances."""
    run(system.train(), pictures, WORDS.expand(len(pictures), -1))
    return system.requires_grad_(False).eval()


@pytest.mark.parametrize(("cell", "step", "states"), [("elman", elman, 1), ("lstm", lstm, 2)])
def test_a_picture_at_the_start_by_hand(make_system, pictures, cell, step, states) -> None:
    system = seen_by(make_system("start", cell=cell), pictures)
    for picture, read in zip(pictures, read_of_all(system, pictures)[0], strict=True):
        linear = system.first.linear
        first = torch.tanh(linear.weight @ summary(system, picture) + linear.bias)
        expected, _ = by_hand(system, system.layer, step, first.chunk(states))
        torch.testing.assert_close(read, torch.stack(expected))


@pytest.mark.parametrize(("cell", "step", "states"), [("elman", elman, 1), ("lstm", lstm, 2)])
def test_a_picture_at_each_step_by_hand(make_system, pictures, cell, step, states) -> None:
    system = seen_by(make_system("each-step", cell=cell), pictures)
    for picture, read in zip(pictures, read_of_all(system, pictures)[0], strict=True):
        v = summary(system, picture)
        expected, _ = by_hand(system, system.layer, step, (torch.zeros(9),) * states,
                              lambda h, v=v: v)
        torch.testing.assert_close(read, torch.stack(expected))


@pytest.mark.parametrize(("cell", "step", "states"), [("elman", elman, 1), ("lstm", lstm, 2)])
def test_attention_by_hand(make_system, pictures, cell, step, states) -> None:
    """Xu et al. 2015, equations 4 to 6 and 13: the last state asks, the answer is an average."""
    system = make_system("attention", cell=cell).requires_grad_(False).eval()
    net = system.decoder.contexts.attention
    for picture, read, weights in zip(pictures, *read_of_all(system, pictures), strict=True):
        places = system.encoder(picture[None])[0]
        shares = []

        def seen(h, places=places, shares=shares):
            scores = [float(net.score.weight[0] @ torch.tanh(
                net.query.weight @ h + net.query.bias + net.key.weight @ place))
                for place in places]
            shares.append([math.exp(score) / sum(map(math.exp, scores)) for score in scores])
            return sum(share * place for share, place in zip(shares[-1], places, strict=True))

        linear = system.decoder.first.linear
        first = torch.tanh(linear.weight @ places.mean(dim=0) + linear.bias)
        expected, looked = by_hand(system, system.decoder.layer, step, first.chunk(states), seen)
        torch.testing.assert_close(read, torch.stack(
            [torch.cat(pair) for pair in zip(expected, looked, strict=True)]))
        torch.testing.assert_close(weights, torch.tensor(shares))


def test_the_state_after_a_word_can_ask(make_system, pictures) -> None:
    """Lu et al. 2017, equations 6 to 8; dot-product scores, so that they are one product."""
    system = make_system("attention", cell="elman", attention="dot", asks="after",
                         hidden=6).requires_grad_(False).eval()
    for picture, read, weights in zip(pictures, *read_of_all(system, pictures), strict=True):
        places = system.encoder(picture[None])[0]
        linear = system.decoder.first.linear
        first = torch.tanh(linear.weight @ places.mean(dim=0) + linear.bias)
        states, _ = by_hand(system, system.decoder.layer, elman, (first,))
        for state, found, shares in zip(states, read, weights, strict=True):
            exponentials = (places @ state).exp()
            expected = exponentials / exponentials.sum()
            torch.testing.assert_close(shares, expected)
            torch.testing.assert_close(found, torch.cat([state, expected @ places]))


@every_system
def test_the_loss_is_that_of_each_sentence_by_itself(make_system, batch, model, changes) -> None:
    system = make_system(model, **changes).eval()
    total, terms = system.loss(batch)
    expected = 0.0
    for inputs, targets, picture in zip(batch["inputs"], batch["targets"], batch["of"],
                                        strict=True):
        length = int((targets != PAD).sum())
        read, _ = run(system, batch["pictures"][picture][None], inputs[None, :length])
        logits = system.output(read[0]).detach()
        assert targets[length - 1] == EOS and inputs[0] == BOS
        expected += float(functional.cross_entropy(logits, targets[:length], reduction="sum"))
    assert float(total.detach()) == pytest.approx(expected, rel=1e-5)
    assert terms == int((batch["targets"] != PAD).sum())


@every_system
def test_greedy_search_says_the_likeliest_word_each_time(make_system, pictures, model,
                                                         changes) -> None:
    system = make_system(model, **changes).eval()
    with torch.no_grad():
        system.output.weight.mul_(6)
        for picture, found in zip(pictures, system.describe(pictures, GREEDY), strict=True):
            words = [BOS]
            while len(words) <= 8:
                read, _ = run(system, picture[None], torch.tensor([words]))
                logits = system.output(read[0, -1])
                logits[[PAD, BOS, UNK]] = -math.inf
                if (word := int(logits.argmax())) == EOS:
                    break
                words.append(word)
            assert found == words[1:]


@every_system
def test_other_pictures_do_not_change_a_sentence(make_system, pictures, model, changes) -> None:
    system = make_system(model, **changes).eval()
    with torch.no_grad():
        system.output.weight.mul_(6)
    together = system.describe(pictures, BEAM)
    assert together == [system.describe(picture[None], BEAM)[0] for picture in pictures]
    assert all(len(words) <= 8 and not {PAD, BOS, EOS, UNK} & set(words) for words in together)


def test_attention_weights_are_those_of_the_sentence(make_system, pictures) -> None:
    system = make_system("attention").requires_grad_(False).eval()
    found = system.attention_weights(pictures[2], [5, 4, 7])
    _, expected = run(system, pictures[2:3], torch.tensor([[BOS, 5, 4]]))
    torch.testing.assert_close(found, expected[0])
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3))
    assert make_system("start").eval().attention_weights(pictures[2], [5, 4]) is None


@pytest.mark.parametrize(("side", "halvings"), [(8, 2), (36, 2), (9, 1), (7, 0)])
def test_the_map_has_the_places_it_says_and_knows_where_they_are(side, halvings) -> None:
    torch.manual_seed(0)
    encoder = Encoder([4, 6], halvings).eval()
    grey = torch.full((2, side, side, 3), 100, dtype=torch.uint8)
    found = encoder(grey)
    assert found.shape == (2, map_side(side, halvings) ** 2, 6)
    assert len(torch.unique(found[0].detach(), dim=0)) > 1


def test_places_stand_in_the_order_of_rows() -> None:
    """A bright spot in the upper right corner is seen by the map's upper right place alone."""
    torch.manual_seed(0)
    encoder = Encoder([4, 6], 2).eval()
    dark = torch.zeros(1, 16, 16, 3, dtype=torch.uint8)
    bright = dark.clone()
    bright[0, 0, 13:] = 255
    change = (encoder(bright) - encoder(dark))[0].detach().abs().sum(dim=1)
    assert change.nonzero().tolist() == [[3]]


def test_an_epoch_has_every_picture_once_with_its_sentences(toy) -> None:
    batches = PictureBatches(toy / "fit", "train", 16, seed=4)
    plans = [[items.tolist() for items in batches.plan(epoch)] for epoch in (0, 1, 1)]
    assert plans[0] != plans[1] == plans[2]
    assert sorted(sum(plans[0], [])) == list(range(60))
    assert [len(items) for items in plans[0]] == [15] * 4
    words = read_json(toy / "fit/spec.json")["words"]
    loaded = batches.load(np.array([59, 2]))
    assert loaded["of"].tolist() == [0] * 5 + [1] * 5
    said = [[words[n] for n in row if n > UNK] for row in loaded["targets"].tolist()]
    assert said[2] == [said[0][1], said[0][3]] and said[7] == [said[5][1], said[5][3]]


@pytest.mark.parametrize("model", ["start", "each-step", "attention"])
def test_it_learns_what_a_picture_shows(make_system, toy, tmp_path, model) -> None:
    system = make_system(model, cell="lstm", hidden=24)
    system.fit(toy / "fit", Run(seed=1, work=tmp_path))
    for variant in system.settings.variants.values():
        found = list(system.predict(toy / "test", variant))
        assert score(found, toy / "test").score(METRICS["bleu_1"]) > 95


@pytest.mark.parametrize("bias, share", [(-100.0, 1), (100.0, 0)])
def test_sentences_that_end_because_they_may_not_be_longer_are_counted(make_system, toy, bias,
                                                                       share) -> None:
    system = make_system("attention").eval()
    with torch.no_grad():
        system.output.bias[EOS] = bias
    found = list(system.predict(toy / "test", GREEDY))
    told = details(score(found, toy / "test")).get("cut_at_the_longest", 0)
    assert found and told == share * len(found)
