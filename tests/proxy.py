"""A bad network between two ports, a process of its own: what goes through it is passed on, stops, comes late, trickles.

    tests/proxy.py PORT TO     says "up", then reads what to be, a word a line: a mode of Proxy's, or reset
"""
from __future__ import annotations

import asyncio
import sys

DELAY_S, TRICKLE_BYTES, TICK_S = 0.3, 200, 0.05


class Proxy:
    """Listens on a port of this machine and passes on to another, as `mode` says: pass, cut (nothing goes through, new
    connections neither; what was under way comes late), delay, trickle (4 KB/s each way and connection)."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self.to, self.mode = port, to, "pass"
        self.writers: set[asyncio.StreamWriter] = set()

    async def serve(self) -> None:
        server = await asyncio.start_server(self.connect, "127.0.0.1", self.port)
        print("up", flush=True)
        words = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
        while word := (await words.readline()).decode().strip():
            if word == "reset":
                self.reset()
            else:
                self.mode = word
        server.close()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.pass_mode("cut")
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()  # the broker is down
            return
        await asyncio.gather(self.relay(reader, forth), self.relay(back, writer))

    async def pass_mode(self, mode: str, seconds: float = float("inf")) -> None:
        while self.mode == mode and seconds > 0:
            await asyncio.sleep(TICK_S)  # between two polls of the mode
            seconds -= TICK_S

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while chunk := await reader.read(65536):
                await self.pass_mode("cut")
                await self.pass_mode("delay", DELAY_S)
                while self.mode == "trickle" and chunk and not writer.is_closing():
                    writer.write(chunk[:TRICKLE_BYTES])
                    chunk = chunk[TRICKLE_BYTES:]
                    await self.pass_mode("trickle", TICK_S)
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass  # an end went away
        finally:
            self.writers.discard(writer)
            writer.close()

    def reset(self) -> None:
        """Breaks all connections; what was under way is gone."""
        for writer in list(self.writers):
            writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(Proxy(int(sys.argv[1]), int(sys.argv[2])).serve())
