"""Both encoder-decoder networks: what they compute, independent of how it is batched."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.nn.beam import beam_search
from pipeline.nn.rnn import reverse
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.translation.scoring import METRICS, details, score
from pipeline.tasks.translation.shared.tokenizer import BOS, EOS, PAD, UNK
from pipeline.tasks.translation.shared.translator import Variant

GREEDY = Variant(beam=1, length_normalisation=0.0)
BEAM = Variant(beam=5, length_normalisation=1.0)
SYSTEMS = [("fixed_vector", {"cell": "lstm"}), ("fixed_vector", {"cell": "gru-torch"}),
           ("attention", {"cell": "lstm", "attention": "additive"}),
           ("attention", {"cell": "gru-torch", "attention": "dot"}),
           ("attention", {"cell": "gru-torch", "attention": "general", "encoder_layers": 2})]
SOURCES = [[4, 5, 6, 7, 8, EOS], [9, EOS], [10, 11, 12, EOS], [EOS]]
TARGETS = [[4, 5, EOS], [6, 7, 8, 9, EOS], [EOS], [11, 10, EOS]]

every_system = pytest.mark.parametrize(("model", "changes"), SYSTEMS)


def padded(sequences, extra=0):
    longest = max(map(len, sequences)) + extra
    return torch.tensor([[*sequence, *[PAD] * (longest - len(sequence))]
                         for sequence in sequences])


def batch(sources, targets, extra=0):
    return {"source": padded(sources, extra), "targets": padded(targets, extra),
            "source_lengths": torch.tensor([len(source) for source in sources]),
            "inputs": padded([[BOS, *target[:-1]] for target in targets], extra), "epochs": 0.0}


def translate(system, sources, variant, extra=0):
    return system.translate(padded(sources, extra),
                            torch.tensor([len(source) for source in sources]), variant)


def log_probabilities(system, source, prefix):
    """Of the token after `prefix`, computed from the whole prefix at once."""
    memory = system.encode(torch.tensor([source]), torch.tensor([len(source)]))
    readouts, _, _ = system.decode(torch.tensor([[BOS, *prefix]]), memory,
                                   system.decoder.start(memory))
    return system.log_probabilities(readouts)[0, -1]


def test_reverse_leaves_padding_in_place():
    sequences = torch.tensor([[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 7, 8]])
    lengths = torch.tensor([3, 1, 4])
    expected = [[3, 2, 1, 0], [4, 0, 0, 0], [8, 7, 6, 5]]
    assert reverse(sequences, lengths, time=1).tolist() == expected
    vectors = torch.stack([sequences, -sequences], dim=-1)
    assert reverse(vectors, lengths, time=1)[..., 1].tolist() == (-torch.tensor(expected)).tolist()


@every_system
def test_padding_changes_no_loss_and_no_gradient(make_system, model, changes):
    system = make_system(model, **changes)
    total, terms = system.loss(batch(SOURCES, TARGETS, extra=3))
    total.backward()
    gradients = {name: p.grad.clone() for name, p in system.named_parameters()}
    system.zero_grad()
    losses = [system.loss(batch([source], [target]))
              for source, target in zip(SOURCES, TARGETS, strict=True)]
    for loss, _ in losses:
        loss.backward()
    torch.testing.assert_close(total, sum(loss for loss, _ in losses))
    assert terms == sum(count for _, count in losses) == sum(map(len, TARGETS))
    for name, parameter in system.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], msg=name)


@every_system
def test_every_parameter_is_trained(make_system, model, changes):
    system = make_system(model, **changes)
    system.loss(batch(SOURCES, TARGETS))[0].backward()
    assert [name for name, p in system.named_parameters() if not p.grad.abs().sum()] == []


@torch.no_grad()
@every_system
def test_padding_changes_no_translation(make_system, model, changes):
    system = make_system(model, **changes).eval()
    for variant in (GREEDY, BEAM):
        together = translate(system, SOURCES, variant, extra=4)
        assert together == [translate(system, [source], variant)[0] for source in SOURCES]


@torch.no_grad()
@every_system
def test_greedy_translation_takes_the_likeliest_token_each_time(make_system, model, changes):
    system = make_system(model, **changes).eval()
    for source in SOURCES:
        prefix: list[int] = []
        while len(prefix) < 2 * len(source) + 10:
            token = int(log_probabilities(system, source, prefix).argmax())
            if token == EOS:
                break
            prefix.append(token)
        assert translate(system, [source], GREEDY) == [prefix]


class Recomputed:
    """Scores every hypothesis from its whole prefix: no state that could be mixed up."""

    def __init__(self, system, sources):
        self.system = system
        self.sources = sources
        self.prefixes = None

    def advance(self, tokens):
        if self.prefixes is None:
            self.prefixes = [[[] for _ in row] for row in tokens]
        else:
            self.prefixes = [[[*prefix, int(token)] for prefix, token in zip(row, new, strict=True)]
                             for row, new in zip(self.prefixes, tokens, strict=True)]
        return torch.stack([
            torch.stack([log_probabilities(self.system, source, prefix) for prefix in row])
            for source, row in zip(self.sources, self.prefixes, strict=True)])

    def reorder(self, sentences, parents):
        self.prefixes = [[self.prefixes[row][parent] for parent in chosen]
                         for row, chosen in zip(sentences.tolist(), parents.tolist(), strict=True)]
        self.sources = [self.sources[row] for row in sentences.tolist()]


@torch.no_grad()
@every_system
def test_beam_search_follows_the_states_of_its_hypotheses(make_system, model, changes):
    system = make_system(model, **changes).eval()
    for parameter in system.parameters():
        parameter.normal_(std=0.8)
    limits = torch.tensor([2 * len(source) + 10 for source in SOURCES])
    expected = beam_search(Recomputed(system, SOURCES), limits, BEAM.beam,
                           BEAM.length_normalisation, begin=BOS, end=EOS)
    found = translate(system, SOURCES, BEAM)
    assert found == expected
    assert found != translate(system, SOURCES, GREEDY)
    assert not {PAD, BOS, UNK, EOS} & {token for output in found for token in output}


def test_the_loss_is_torchs_cross_entropy_smoothed_in_training_alone(make_system):
    system = make_system("attention", label_smoothing=0.3)
    pairs = batch(SOURCES, TARGETS)
    memory = system.encode(pairs["source"], pairs["source_lengths"])
    readouts, _, _ = system.decode(pairs["inputs"], memory, system.decoder.start(memory))
    logits = readouts @ system.embeddings["target"].weight.T + system.output_bias
    for train, smoothing in [(True, 0.3), (False, 0.0)]:
        expected = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), pairs["targets"].flatten(), ignore_index=PAD, reduction="sum",
            label_smoothing=smoothing)
        torch.testing.assert_close(system.train(train).loss(pairs)[0], expected)


def sampling(start, **changes):
    return {"teacher_forcing": {"kind": "linear", "start": start, "slope": 0.1, "least": 0.0},
            **changes}


@torch.no_grad()
def test_the_decoder_reads_its_own_words_as_the_schedule_says(make_system):
    system = make_system("attention", **sampling(1.0))
    read = []
    decode = system.decode
    system.decode = lambda tokens, *rest: read.append(tokens) or decode(tokens, *rest)
    pairs = batch(SOURCES, TARGETS)

    def inputs(epochs, training=True):
        read.clear()
        system.train(training).loss(pairs | {"epochs": epochs})
        return read[-1], len(read)

    assert torch.equal(inputs(0.0)[0], pairs["inputs"])
    assert torch.equal(inputs(10.0, training=False)[0], pairs["inputs"])
    own, calls = inputs(10.0)
    longest = pairs["inputs"].shape[1]
    assert calls == longest  # a step for each draw, and the whole target at once
    assert torch.equal(own[:, 0], pairs["inputs"][:, 0])
    assert not torch.equal(own, pairs["inputs"])
    assert not {PAD, BOS, UNK} & set(own[:, 1:].flatten().tolist())


@torch.no_grad()
def test_words_that_the_decoder_draws_follow_from_those_it_has_read(make_system):
    """With a network that is sure of each word, what it draws is what it says when it searches."""
    system = make_system("attention", **sampling(0.0001))
    for parameter in system.parameters():
        parameter.normal_(std=1.0)
    system.embeddings["target"].weight.mul_(20)
    targets = [[4] * 8 + [EOS] for _ in SOURCES]
    memory = system.encode(padded(SOURCES), torch.tensor([len(source) for source in SOURCES]))
    own = system.train()._inputs(batch(SOURCES, targets) | {"epochs": 1.0}, memory)
    for row, answer in enumerate(translate(system.eval(), SOURCES, GREEDY)):
        said = own[row, 1 : len(answer) + 1].tolist()
        assert said == answer[: len(said)]


def test_scheduled_sampling_depends_on_the_seed_alone(make_system):
    losses = []
    for seed in (1, 1, 2):
        system = make_system("attention", **sampling(0.5))
        torch.manual_seed(seed)
        total, _ = system.train().loss(batch(SOURCES, TARGETS))
        total.backward()
        losses.append(total.item())
        assert all(p.grad.abs().sum() for p in system.parameters())
    assert losses[0] == losses[1] != losses[2]


@torch.no_grad()
def test_words_are_hidden_in_training_alone(make_system):
    hiding, plain = (make_system("attention", word_dropout=share) for share in (0.9, 0.0))
    pairs = batch(SOURCES, TARGETS)
    assert torch.equal(hiding.eval().loss(pairs)[0], plain.eval().loss(pairs)[0])
    assert not torch.isclose(hiding.train().loss(pairs)[0], plain.train().loss(pairs)[0])


@torch.no_grad()
def test_the_fixed_vector_is_all_that_the_decoder_knows(make_system):
    for model, sees_states in [("fixed_vector", False), ("attention", True)]:
        system = make_system(model).eval()
        memory = system.encode(torch.tensor([SOURCES[0]]), torch.tensor([6]))
        other = system.encode(torch.tensor([[9, 9, 9, 9, 9, EOS]]), torch.tensor([6]))
        mixed = system.remember(type(memory)(other.states, other.mask, memory.summary))
        state = system.decoder.start(memory)
        readouts, changed = (system.decode(torch.tensor([[BOS, 4, 5]]), m, state)[0]
                             for m in (memory, mixed))
        assert torch.equal(readouts, changed) is not sees_states


def test_attention_weights_are_those_of_the_translation(make_system):
    system = make_system("attention").eval()
    lengths = torch.tensor([len(source) for source in SOURCES])
    weights = system.attention_weights(padded(SOURCES), lengths, TARGETS)
    assert weights.shape == (4, max(map(len, TARGETS)), max(map(len, SOURCES)))
    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        alone = system.attention_weights(torch.tensor([source]), lengths[[row]], [target])
        torch.testing.assert_close(alone.sum(dim=2), torch.ones(1, len(target)))
        torch.testing.assert_close(weights[row, : len(target), : len(source)], alone[0])
    fixed = make_system("fixed_vector").eval()
    assert fixed.attention_weights(padded(SOURCES), lengths, TARGETS) is None


@torch.no_grad()
@pytest.mark.parametrize("model", ["fixed_vector", "attention"])
def test_an_empty_and_a_very_long_source_have_an_answer(make_system, model):
    system = make_system(model).eval()
    long = [*(4 + np.arange(1000) % 10).tolist(), EOS]
    empty, answer = translate(system, [[EOS], long], Variant(beam=2, length_normalisation=1.0))
    assert len(empty) <= 12 and len(answer) <= 2 * 1001 + 10


def test_a_joint_vocabulary_has_one_embedding(make_system, tmp_path):
    spec = {"source_vocabulary": 15, "target_vocabulary": 15, "joint": True}
    joint = make_system("attention", spec)
    separate = make_system("attention", spec | {"joint": False})
    assert separate.parameters_count - joint.parameters_count == 15 * 12
    joint.save(tmp_path)
    loaded = type(joint).load(tmp_path)
    assert translate(loaded, SOURCES, GREEDY) == translate(joint.eval(), SOURCES, GREEDY)


@pytest.mark.parametrize("changes", [{"cell": "gru"}, {"dropout": 1.0}, {"variants": {}},
                                     {"variants": {"x": {"beam": 0, "length_normalisation": 0.0}}},
                                     {"attention": "cosine"},
                                     {"teacher_forcing": {"kind": "linear", "start": 2.0,
                                                          "slope": 0.0, "least": 0.0}}])
def test_settings_out_of_range_are_refused(make_system, changes):
    with pytest.raises(ValidationError, match=next(iter(changes))):
        make_system("attention", **changes)


@pytest.mark.parametrize("bias, share", [(-100.0, 1), (100.0, 0)])
def test_answers_that_end_because_they_may_not_be_longer_are_counted(make_system, toy, bias, share):
    system = make_system("attention", read_json(toy / "fit" / "spec.json")).eval()
    system.artefacts = toy / "fit" / "artefacts"
    with torch.no_grad():
        system.output_bias[EOS] = bias
    found = list(system.predict(toy / "test", GREEDY))
    expected = {"cut_at_the_longest": len(found)} if share else {}
    assert found and details(score(found, toy / "test")) == expected


def test_a_small_network_learns_to_translate(make_system, toy, tmp_path):
    system = make_system("attention", read_json(toy / "fit" / "spec.json"), embedding=32,
                         hidden=32)
    system.artefacts = toy / "fit" / "artefacts"
    curve = system.fit(toy / "fit", Run(seed=1, work=tmp_path / "work"))
    assert curve[-1]["validation_loss"] < 0.2 * curve[0]["validation_loss"]
    predictions = list(system.predict(toy / "test", system.settings.variants["beam"]))
    assert score(predictions, toy / "test").score(METRICS["bleu"]) > 80

    system.save(tmp_path / "model")
    loaded = type(system).load(tmp_path / "model")
    assert list(loaded.predict(toy / "test", loaded.settings.variants["beam"])) == predictions
