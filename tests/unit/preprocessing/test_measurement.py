import numpy as np
from scipy import ndimage

from rogseg.preprocessing.measurement import measure_case
from rogseg.preprocessing.volume import Volume


def test_boxes_and_numbers_of_classes_are_those_of_scipy() -> None:
    generator = np.random.default_rng(0)
    for rarity in (0.5, 0.97, 0.999):
        labels = np.where(generator.random((9, 11, 7)) > rarity, generator.integers(0, 5, (9, 11, 7)), 0).astype(
            np.uint8
        )
        labels[labels == 3] = 0  # a class without a voxel has no box
        volume = Volume(generator.random((1, 9, 11, 7), dtype=np.float32), np.eye(4))
        measurement = measure_case(volume, labels, ((0.0, 100.0),), "case", "digest")
        boxes = enumerate(ndimage.find_objects(labels), start=1)
        assert measurement.class_boxes == {
            index: tuple(part.stop - part.start for part in box) for index, box in boxes if box is not None
        }
        assert measurement.class_voxels == {index: int((labels == index).sum()) for index in measurement.class_boxes}
