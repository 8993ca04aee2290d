"""Labels and regions: scores whose argmax is nnU-Net's rule, and the index maps."""

import numpy as np
import pytest
import torch

from rogseg.systems.label_classes import LabelClasses
from tests.unit.systems.nnunet.tiny_folder import REGIONS, tiny_dataset


def test_the_last_region_with_a_positive_logit_wins() -> None:
    classes = LabelClasses.from_dataset(tiny_dataset(REGIONS))
    logits = torch.randn(1, 3, 40, 40, 20, generator=torch.Generator().manual_seed(0))
    expected = torch.zeros(1, 40, 40, 20, dtype=torch.int64)
    for index in range(3):
        expected[logits[:, index] > 0] = index + 1
    scores = classes.scores(logits)
    assert torch.equal(scores.argmax(1), expected)
    assert ((scores > 0).sum(1) == 1).all()


def test_the_rule_is_that_of_nnunet_with_another_order() -> None:
    pytest.importorskip("nnunetv2")
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    labels = {"background": 0, "kidney and mass": [1, 2, 3], "mass": [2, 3], "tumour": 2}
    dataset = {**tiny_dataset(labels), "regions_class_order": [1, 3, 2]}
    classes = LabelClasses.from_dataset(dataset)
    logits = torch.randn(1, 3, 20, 20, 20, generator=torch.Generator().manual_seed(0))
    written = LabelManager(labels, [1, 3, 2]).convert_logits_to_segmentation(logits[0]).numpy()
    assert np.array_equal(classes.indices_of_written(written), classes.scores(logits).argmax(1)[0].numpy())
    # A cyst (3) lies in the first two regions, a tumour (2) in all.
    assert classes.indices_of_raw(np.array([0, 1, 2, 3])).tolist() == [0, 1, 3, 2]
    assert classes.class_indices == ((1, 2, 3), (2, 3), (3,))
    assert classes.decided_values == (0, 1, 3, 2)


def test_one_sigmoid_keeps_its_probability() -> None:
    classes = LabelClasses.from_dataset({**tiny_dataset({"background": 0, "any": [1, 2]}), "regions_class_order": [1]})
    logits = torch.linspace(-5, 5, 11).reshape(1, 1, 11, 1, 1)
    torch.testing.assert_close(classes.scores(logits).softmax(1)[:, 1:], logits.sigmoid())


def test_scores_of_regions_pass_a_gradient_to_what_decides() -> None:
    classes = LabelClasses.from_dataset(tiny_dataset(REGIONS))
    logits = torch.tensor([2.0, -1.0, 0.5]).reshape(1, 3, 1, 1, 1).requires_grad_()
    scores = classes.scores(logits).flatten()
    torch.testing.assert_close(scores, torch.tensor([-1.0, -0.25, -0.5, 0.25]))
    (gradient,) = torch.autograd.grad(scores[1], logits)
    assert gradient.flatten().tolist() == [0.0, 0.0, -0.5]


def test_labels_are_channels_in_the_order_of_their_values() -> None:
    classes = LabelClasses.from_dataset(tiny_dataset({"background": 0, "second": 2, "first": 1, "ignore": 3}))
    assert [entry.name for entry in classes.classes] == ["first", "second"]
    assert classes.num_heads == 3
    assert classes.raw_values == (0, 1, 2, 3)
    assert classes.indices_of_raw(np.array([0, 1, 2, 3])).tolist() == [0, 1, 2, 0]
    logits = torch.randn(1, 3, 2, 2, 2)
    assert classes.scores(logits) is logits
