"""Serve a Tryton database on loopback, printing the port; run by Tryton's own interpreter.

usage: TRYTOND_CONFIG=trytond.conf serve.py. Ends when its standard input does.
"""

import os
import sys
import threading

from trytond.application import app
from werkzeug.serving import make_server


def end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
threading.Thread(target=end_with_parent, daemon=True).start()
server.serve_forever()
