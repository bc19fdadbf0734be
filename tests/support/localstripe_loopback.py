"""Run localstripe on a free loopback port without its state file; run by its own environment.

Prints the port. Its own command binds every interface and writes a file after each request.
"""

import socket

from aiohttp import web
from localstripe import server

if __name__ == "__main__":
    server.store.dump_to_disk = lambda: None
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    web.run_app(server.app, sock=listener, access_log=None, print=None)
