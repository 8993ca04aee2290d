import torch

from rogseg.attacks import sanity_checks

GENERATOR_SHAPE = (2, 3, 4, 4, 2)


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(GENERATOR_SHAPE, generator=torch.Generator().manual_seed(seed))


def test_probabilities_are_told_from_logits() -> None:
    assert sanity_checks.check_logits(noise()).passed
    finding = sanity_checks.check_logits(noise().softmax(1))
    assert not finding.passed
    assert "softmax" in finding.seen
    assert not sanity_checks.check_logits(noise().sigmoid()).passed


def test_a_random_model_is_seen() -> None:
    assert sanity_checks.check_deterministic(lambda inputs: 2 * inputs, noise()).passed
    finding = sanity_checks.check_deterministic(lambda inputs: torch.nn.functional.dropout(inputs, 0.5), noise())
    assert not finding.passed
    assert "largest difference 0," not in finding.seen


def test_zero_gradients_are_counted() -> None:
    targets = torch.zeros(2, 4, 4, 2, dtype=torch.int64)
    assert sanity_checks.check_gradients(lambda inputs: inputs, noise(), targets).passed

    def blind_to_the_second_case(inputs: torch.Tensor) -> torch.Tensor:
        return inputs * torch.tensor([1.0, 0.0]).view(2, 1, 1, 1, 1)

    finding = sanity_checks.check_gradients(blind_to_the_second_case, noise(), targets, limit=0.4)
    assert not finding.passed
    assert f"{noise()[0].numel()} of {noise().numel()}" in finding.seen


def test_square_must_not_win_on_any_case() -> None:
    white = torch.tensor([0.2, 0.5, torch.nan])
    assert sanity_checks.check_square_against_white_box(torch.tensor([0.2, 0.7, torch.nan]), white).passed
    finding = sanity_checks.check_square_against_white_box(torch.tensor([0.9, 0.4, torch.nan]), white)
    assert not finding.passed
    assert "1 of 3" in finding.seen


def test_budgets_are_compared_in_their_order() -> None:
    assert sanity_checks.check_more_budget("epsilon", {0.03: 0.2, 0.01: 0.5, 0.02: 0.505}).passed is True
    assert sanity_checks.check_more_budget("epsilon", {0.03: 0.6, 0.01: 0.5}).passed is False


def test_large_epsilon_and_transfer() -> None:
    assert sanity_checks.check_large_epsilon(torch.tensor([0.0, 0.04]), 1.0).passed
    assert not sanity_checks.check_large_epsilon(torch.tensor([0.3, torch.nan]), 1.0).passed
    assert sanity_checks.check_transfer(torch.tensor([0.6]), torch.tensor([0.4])).passed
    assert not sanity_checks.check_transfer(torch.tensor([0.3]), torch.tensor([0.4])).passed
