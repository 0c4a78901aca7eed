"""One side of a connection: HTTP/1.1 events by h11, on an asyncio stream."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import h11

CHUNK_BYTES = 256 * 1024
HEAD_BYTES = 64 * 1024
"""The longest head of a message; the embedded AWS takes less."""


class Link:
    """A connection with a client, or with the embedded AWS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_client: bool) -> None:
        self.http = h11.Connection(h11.SERVER if to_client else h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self._reader, self._writer = reader, writer

    async def next(self) -> h11.Event:
        """The next event; `h11.ConnectionClosed` at the end of the connection.

        Raises:
            h11.RemoteProtocolError: what came is not HTTP/1.1, or breaks off.
            OSError: the connection broke.
        """
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self._reader.read(CHUNK_BYTES))
            elif event is h11.PAUSED:
                raise h11.RemoteProtocolError("a message begins before the one before it has been answered")
            else:
                assert isinstance(event, h11.Event)
                return event

    async def send(self, event: h11.Event) -> None:
        """Send an event.

        Raises:
            OSError: the connection broke.
        """
        if data := self.http.send(event):
            self._writer.write(data)
            await self._writer.drain()

    @property
    def is_fresh(self) -> bool:
        """Whether the next message may go over this connection."""
        return (
            self.http.our_state is h11.IDLE
            and self.http.their_state is h11.IDLE
            and not self._reader.at_eof()
            and not self._writer.is_closing()
        )

    def begin_again(self) -> bool:
        """Make ready for the next message; False: this connection has had its last."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        return True

    def close(self) -> None:
        """Close the connection in good order."""
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.close()

    def reset(self) -> None:
        """End the connection with a TCP reset, as a host does that knows nothing of it."""
        found: socket.socket | None = self._writer.get_extra_info("socket")
        if found is not None:
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
