import numpy as np
import torch

from rogseg.attacks.fab.hyperplane import project_onto_hyperplane
from tests.shared_data import shared_path


def test_projection_is_that_of_the_reference() -> None:
    data = np.load(shared_path("reference/autoattack_points.npz"))
    points, normals, offsets, moves = (torch.from_numpy(data[f"proj_{name}"]) for name in "twbd")
    residual = (normals.double() * points.double()).sum(1) - offsets.double()
    shape = (-1, 16, 1, 1, 1)
    found = project_onto_hyperplane(
        residual, normals.view(shape), -points.view(shape), 1 - points.view(shape), torch.ones(1)
    )
    error = (found.flatten(1) - moves).abs().amax(1)
    reachable = ((normals * (points + moves)).sum(1) - offsets).abs() < 1e-4
    assert int(reachable.sum()) == 49
    assert error[reachable].max() <= 1e-6
    # The others end in the corner nearest to the hyperplane, there as here.
    assert error[~reachable].max() <= 1e-6
