import pytest

from rogseg.engine.case_selection import parse_shard, shard_of, spread

IDS = [f"case_{index:02d}" for index in range(10)]


def test_a_few_cases_are_spread_over_the_set() -> None:
    chosen = spread(IDS, 5, seed=0)
    assert [IDS.index(case_id) // 2 for case_id in chosen] == [0, 1, 2, 3, 4]
    assert chosen == spread(list(reversed(IDS)), 5, seed=0)
    assert any(spread(IDS, 5, seed) != chosen for seed in range(1, 5))


def test_no_limit_takes_all() -> None:
    assert spread(IDS, None, seed=3) == tuple(IDS)
    assert spread(IDS, 99, seed=3) == tuple(IDS)


def test_limit_under_one_is_refused() -> None:
    with pytest.raises(ValueError, match="--max-cases is 0"):
        spread(IDS, 0, seed=0)


def test_a_seed_under_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="--case-seed is -1"):
        spread(IDS, 5, seed=-1)


def test_shards_partition_the_set() -> None:
    shards = [shard_of(IDS, index, 3) for index in (1, 2, 3)]
    assert sorted(sum(shards, ())) == IDS
    assert shards[0] == ("case_00", "case_03", "case_06", "case_09")


@pytest.mark.parametrize("text", ["0/3", "4/3", "2", "a/b", "1/0", "-1/3"])
def test_a_wrong_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be K/N"):
        parse_shard(text)


def test_a_shard_is_read() -> None:
    assert parse_shard("2/8") == (2, 8)
