import pytest

from rogseg.estimation.sizes import format_bytes, format_size, parse_memory, parse_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12GB", 12_000_000_000), ("12 gb", 12_000_000_000), ("1.5GiB", 1_610_612_736), ("80KiB", 81_920)],
)
def test_memory(text: str, expected: int) -> None:
    assert parse_memory("--gpu-memory", text) == expected


@pytest.mark.parametrize("text", ["12XB", "12", "GB", "-3GB", "0GB", "12GB!", ""])
def test_no_memory(text: str) -> None:
    with pytest.raises(ValueError, match=r"--gpu-memory .*write for instance 12GB"):
        parse_memory("--gpu-memory", text)


def test_size() -> None:
    assert parse_size("--volume", "512x512x300") == (512, 512, 300)
    assert parse_size("--volume", "40X60X40") == (40, 60, 40)


@pytest.mark.parametrize("text", ["512x512", "512x512x300x2", "512x0x300", "512x-5x3", "axbxc", "", "1.5x2x3"])
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"--volume .*write for instance 512x512x300"):
        parse_size("--volume", text)


def test_formats() -> None:
    assert format_bytes(5_520_000_000) == "5.52 GB"
    assert format_bytes(41_500_000) == "41.5 MB"
    assert format_bytes(1_280) == "1.28 KB"
    assert format_size((192, 192, 96)) == "192x192x96"
