"""An HTTP proxy before an S3 server that throttles, cuts answers short, delays and refuses, as its Faults say."""

import asyncio
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

SLOW_DOWN = (503, "SlowDown")


@dataclass
class Faults:
    """What a proxy does: shares of requests, 0 to 1, from one seed; and answers to requests that hold a text in their head."""

    slow_down: float = 0.0
    cut: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 0.2
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    drop_headers: tuple[str, ...] = ()
    seed: int = 1


class FaultyProxy:
    """A proxy on a free loopback port for the length of a `with` block; `done` counts what it did."""

    def __init__(self, endpoint: str, faults: Faults) -> None:
        url = urlsplit(endpoint)
        self._host, self._port = str(url.hostname), url.port
        self._faults = faults
        self._random = random.Random(faults.seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self.done: Counter[str] = Counter()
        self.endpoint = ""

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = serving.result(60)
        self.endpoint = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            if "100-continue" in head.lower():
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(_header(head, "content-length") or 0))
            writer.write(await self._answer(head, body))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            self.done["broken connections"] += 1
        finally:
            writer.close()

    async def _answer(self, head: str, body: bytes) -> bytes:
        faults = self._faults
        chance = self._random.random()
        for text, answer in faults.answers.items():
            if text.lower() in head.lower():
                self.done[text] += 1
                return _error(*answer)
        if chance < faults.slow_down:
            self.done["slow down"] += 1
            return _error(*SLOW_DOWN)
        if chance > 1 - faults.delay:
            self.done["delays"] += 1
            await asyncio.sleep(faults.delay_seconds)
        answer = await self._forward(head, body)
        start = answer.find(b"\r\n\r\n") + 4
        if faults.slow_down <= chance < faults.slow_down + faults.cut and len(answer) > start:
            self.done["cuts"] += 1
            return answer[: (start + len(answer)) // 2]
        self.done["passed"] += 1
        return answer

    async def _forward(self, head: str, body: bytes) -> bytes:
        left_out = ("connection:", "expect:", *(f"{name.lower()}:" for name in self._faults.drop_headers))
        lines = [line for line in head.split("\r\n") if line and not line.lower().startswith(left_out)]
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()


def _header(head: str, name: str) -> str | None:
    values = [line.partition(":")[2].strip() for line in head.split("\r\n") if line.lower().startswith(f"{name}:")]
    return values[0] if values else None


def _error(status: int, code: str) -> bytes:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    head = (
        f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return (head + body).encode()
