"""Labels and regions: scores whose argmax is nnU-Net's rule, and the index maps."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from rogseg.systems.base import SystemClass
from rogseg.systems.label_classes import LabelClasses
from tests.unit.systems.nnunet.tiny_folder import REGIONS, tiny_dataset


@pytest.mark.parametrize("name", ["", " ", "a\n|", "a\x00"])
def test_a_class_has_a_name_on_one_line(name: str) -> None:
    with pytest.raises(ValueError, match="give it a name on one line"):
        SystemClass(name, (1,))


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


def labels_of(regions: Mapping[str, tuple[int, ...]], written: tuple[int, ...]) -> LabelClasses:
    return LabelClasses(tuple(SystemClass(name, values) for name, values in regions.items()), written, regions=True)


def test_regions_of_which_a_value_lies_in_others_than_its_decision_are_refused_by_name() -> None:
    # A tumour in the right kidney would count as one in the left.
    kidneys = {"left": (1, 3), "right": (2, 4), "tumour": (3, 4)}
    with pytest.raises(ValueError, match=r"value 4 lie in right, tumour; .* 3 is decided for.* in left, tumour: "):
        labels_of(kidneys, (1, 2, 3))
    # Each order of the two is wrong for a value that the other one holds as well.
    with pytest.raises(ValueError, match=r"value 2 lie in core, whole; .* 1 is decided for, which lies in whole: "):
        labels_of({"core": (2,), "whole": (1, 2)}, (2, 1))
    with pytest.raises(ValueError, match=r"value 1 lie in whole; .* 7 is decided for, which lies in none: "):
        labels_of({"whole": (1,)}, (7,))


@pytest.mark.parametrize(
    ("regions", "written"),
    [
        ({"whole": (1, 2, 3), "core": (2, 3), "enhancing": (3,)}, (1, 2, 3)),
        ({"whole": (1, 2, 4), "core": (1, 4), "enhancing": (4,)}, (2, 1, 4)),
        ({"kidney and mass": (1, 2, 3), "mass": (2, 3), "tumour": (2,)}, (1, 3, 2)),
        ({"organ": (1, 2, 3), "cyst": (2,), "tumour": (3,), "vessel": (4, 5)}, (1, 2, 3, 4)),
    ],
)
def test_every_region_holds_the_truth_of_its_values_where_they_lie_in_one_another_or_apart(
    regions: dict[str, tuple[int, ...]], written: tuple[int, ...]
) -> None:
    classes = labels_of(regions, written)
    indices = classes.indices_of_raw(np.array(classes.raw_values))
    for values, members in zip(regions.values(), classes.class_indices, strict=True):
        found = [value for value, index in zip(classes.raw_values, indices, strict=True) if index in members]
        assert found == list(values)
