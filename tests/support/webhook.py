# SPDX-License-Identifier: MPL-2.0
"""A web server that stores the requests it receives.

webhook.py FOLDER PORT: appends each request to FOLDER/requests, as one JSON object per line, and responds with the
statuses in FOLDER/statuses, one after the other, then with 200. With FOLDER/server.pem, it serves https; with
FOLDER/ca.pem, clients need a certificate of this authority.
"""

import http.server
import json
import pathlib
import ssl
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = int(statuses.pop(0)) if statuses else 200
        request = {"path": self.path, "status": status, "headers": dict(self.headers.items()), "body": body}
        with open(folder / "requests", "a", encoding="utf-8") as requests:
            requests.write(json.dumps(request) + "\n")
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


folder = pathlib.Path(sys.argv[1])
statuses = (folder / "statuses").read_text().split()
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
if (folder / "server.pem").exists():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    if (folder / "ca.pem").exists():
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
