"""RecordFolder: one evaluation on disk, safe against kill -9 and against mixing with another."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["RecordFolder"]


class RecordFolder:
    """``header.json`` (what was evaluated) and ``records.jsonl`` (a record per line).

    Args:
        directory: where the files lie; made if absent.
        identity: what must agree for records to belong together, JSON data; None opens what is there.
        environment: versions and machine, written beside the identity and not compared.

    Raises:
        ValueError: the folder holds records of another identity, or none although identity is None.
    """

    def __init__(
        self,
        directory: str | Path,
        identity: Mapping[str, Any] | None,
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory = Path(directory)
        self._header_path = self.directory / "header.json"
        self._records_path = self.directory / "records.jsonl"
        if self._header_path.exists():
            self.header: dict[str, Any] = json.loads(self._header_path.read_text())
            if identity is not None:
                self.check_identity(identity)
        elif identity is None:
            raise ValueError(f"{self.directory}: no header.json here; name the --out folder of an evaluation")
        else:
            self.header = {"identity": json.loads(json.dumps(identity)), "environment": dict(environment or {})}
            self._write_header()
        self._num_bytes = self._size()  # of the records that are known here

    def check_identity(self, identity: Mapping[str, Any]) -> None:
        """Refuse records of another evaluation.

        Raises:
            ValueError: the identities differ; the message says in what.
        """
        here, wanted = self.header["identity"], json.loads(json.dumps(identity))
        differing = sorted(key for key in {*here, *wanted} if here.get(key) != wanted.get(key))
        if differing:
            details = "; ".join(f"{key}: {here.get(key)!r} there, {wanted.get(key)!r} now" for key in differing)
            raise ValueError(
                f"{self.directory}: its records belong to another evaluation ({details}); give another --out"
            )

    def lines(self) -> list[str]:
        """The whole lines; a line that a kill tore is cut off the file."""
        if not self._records_path.exists():
            return []
        content = self._records_path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self._records_path.open("r+b") as file:
                file.truncate(len(whole))
        self._num_bytes = len(whole)
        return whole.decode().splitlines()

    def append(self, line: str) -> None:
        """Add a line; it is on disk when this returns.

        Raises:
            ValueError: somebody else has added lines since these were read.
        """
        if self._size() != self._num_bytes:
            raise ValueError(
                f"{self.directory}: another process writes its records here, too; let it end, or give each its own "
                "--out (attacks: split the work by --shard and merge with tools/report.py)"
            )
        written = (line + "\n").encode()
        with self._records_path.open("ab") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        self._num_bytes += len(written)

    def _size(self) -> int:
        return self._records_path.stat().st_size if self._records_path.exists() else 0

    def _write_header(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self._header_path.with_suffix(".tmp")
        with temporary.open("w") as file:
            file.write(json.dumps(self.header, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._header_path)
