"""SpecAugment hides bands, at most as wide as they may be, within each recording."""

import torch

from pipeline.audio.masking import mask


def test_masks_hide_bands_within_the_utterance() -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([50, 100])
    hidden_frames, hidden_features = set(), set()
    for _ in range(100):
        found = mask(torch.ones(2, 100, 8), lengths, time_masks=1, longest=15, feature_masks=1,
                     widest=3) == 0
        rows, columns = found.all(dim=2), found.all(dim=1)
        assert not rows[0, 50:].any()
        # A fifth of fifty frames limits the first, `longest` the second.
        assert rows.sum(dim=1)[0] <= 10 and rows.sum(dim=1)[1] <= 15
        assert (columns.sum(dim=1) <= 3).all()
        assert torch.equal(found, rows[:, :, None] | columns[:, None])
        for band in (*rows, *columns):
            assert int((band.int().diff() == 1).sum()) + int(band[0]) <= 1
        hidden_frames.add(int(rows[1].sum()))
        hidden_features.add(int(columns[1].sum()))
    assert max(hidden_frames) == 15 and hidden_features == {0, 1, 2, 3}
