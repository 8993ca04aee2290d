"""A local HTTP server that knows byte ranges and can be told to misbehave."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class RangeServer(ThreadingHTTPServer):
    """Serves `content` at every path, or the one of the path's last part.

    It cuts the connection after `cuts[n]` bytes of the n-th answer.
    """

    daemon_threads = True

    def __init__(self, content: bytes | Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.cuts: list[int] = []
        self.knows_ranges = True
        self.asked_from: list[int] = []
        self.status: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/file"


class _Handler(BaseHTTPRequestHandler):
    server: RangeServer

    def do_GET(self) -> None:
        server = self.server
        if server.status is not None:
            self.send_error(server.status)
            return
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.knows_ranges else 0
        server.asked_from.append(start)
        content = server.content if isinstance(server.content, bytes) else server.content[self.path.rsplit("/", 1)[1]]
        total = len(content)
        if start >= total:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{total}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        number = len(server.asked_from) - 1
        end = start + server.cuts[number] if number < len(server.cuts) else total
        self.wfile.write(content[start:end])

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def serving(content: bytes | Mapping[str, bytes]) -> Iterator[RangeServer]:
    server = RangeServer(content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
