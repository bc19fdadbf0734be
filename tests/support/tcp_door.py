"""A door on loopback to a server's local socket, which can be held shut while a client waits."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Door:
    """Passes bytes both ways; `shut` keeps back what the server says from then on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.opened = threading.Event()
        self.opened.set()
        self.visits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._held: list[socket.socket] = [self._listener]
        threading.Thread(target=self._listen, daemon=True).start()

    def shut(self) -> None:
        """Keep back the server's answers."""
        self.opened.clear()

    def close(self) -> None:
        """Let go of everything."""
        self.opened.set()
        for each in self._held:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.visits += 1
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.path)
                self._held += [client, server]
                for ends in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                if answers:
                    self.opened.wait()
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
