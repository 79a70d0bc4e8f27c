#!/usr/bin/env -S /usr/bin/python3 -B
"""What InfluxDB 2 answers where the suite asks it (its API's OpenAPI document): organisations, buckets, tasks and
authorizations for --setup, and writes, each with the token that may. No image of the real one is at hand here.

For tests that import it, and as a program in front of a store that keeps the points, for the compose test:

    influx2.py PORT ORG BUCKET ADMIN_TOKEN_FILE STATE_FILE BACKEND_URL [BACKEND COMMAND …]
"""

import gzip
import json
import secrets
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ORG_ID = "00000000000000aa"


class Influx2:
    def __init__(self, token, org="the org", bucket=None, address=("127.0.0.1", 0), backend=None, state=None):
        self.admin_token, self.org, self.backend, self.state = token, org, backend, state
        self.kinds = {
            "orgs": [{"id": ORG_ID, "name": org}], "buckets": [], "tasks": [], "authorizations": [],
        }  # fmt: skip
        if bucket:
            self.kinds["buckets"].append({"id": "00000000000000bb", "name": bucket, "retentionRules": []})
        if state and state.exists():
            self.kinds = json.loads(state.read_text())
        self.changes = []
        self.lines = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_it(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                store.handle(self, urllib.parse.urlsplit(self.path), body)

            do_GET = do_POST = do_PATCH = handle_it

            def answer(self, status, document=None):
                text = b"" if document is None else json.dumps(document).encode()
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(address, Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def serve(self):
        self._server.serve_forever()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def may(self, token, action, bucket_id):
        """True or False of a token that is known, None of another."""
        if token == self.admin_token:
            return True
        for authorization in self.kinds["authorizations"]:
            if authorization["token"] == token:
                return {"action": action, "resource": {"type": "buckets", "id": bucket_id, "orgID": ORG_ID}} in \
                    authorization["permissions"]  # fmt: skip
        return None

    def handle(self, handler, url, body):
        token = (handler.headers["Authorization"] or "").removeprefix("Token ")
        query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=bool(url.query)))
        if url.path == "/api/v2/write":
            return self._write(handler, query, token, body)
        if not url.path.startswith("/api/v2/"):
            return self._pass_on(handler, body)
        kind, _, id_ = url.path.removeprefix("/api/v2/").partition("/")
        if token != self.admin_token:
            return handler.answer(401, {"code": "unauthorized", "message": "unauthorized access"})
        if handler.command == "GET":
            return self._find(handler, kind, id_, query)
        return self._change(handler, kind, id_, json.loads(body))

    def _find(self, handler, kind, id_, query):
        if id_:
            found = [o for o in self.kinds[kind] if o["id"] == id_]
            return handler.answer(200, found[0]) if found else handler.answer(404, {"code": "not found"})
        assert query["org"] == self.org
        found = [o for o in self.kinds[kind] if query.get("name") in (None, o["name"])]
        if kind == "buckets" and not found:
            return handler.answer(404, {"code": "not found", "message": "bucket not found"})
        return handler.answer(200, {kind: found})

    def _change(self, handler, kind, id_, body):
        self.changes.append((handler.command, kind))
        if kind == "tasks":
            assert set(body) >= {"flux", "status"} and 'option task = {name: "fieldline_hourly"' in body["flux"]
            body["name"] = "fieldline_hourly"
        if handler.command == "POST":
            assert body["orgID"] == ORG_ID
            body["id"] = secrets.token_hex(8)
            if kind == "authorizations":
                body |= {"status": "active", "token": secrets.token_urlsafe(32)}
            self.kinds[kind].append(body)
            self._save()
            return handler.answer(201, body)
        (old,) = [o for o in self.kinds[kind] if o["id"] == id_]
        old.update(body)
        self._save()
        return handler.answer(200, old)

    def _save(self):
        if self.state:
            self.state.write_text(json.dumps(self.kinds))

    def _write(self, handler, query, token, body):
        buckets = [b for b in self.kinds["buckets"] if b["name"] == query["bucket"]]
        if query["org"] != self.org or not buckets:
            return handler.answer(404, {"code": "not found", "message": "bucket not found"})
        allowed = self.may(token, "write", buckets[0]["id"])
        if not allowed:
            status, code = (401, "unauthorized") if allowed is None else (403, "forbidden")
            return handler.answer(status, {"code": code, "message": f"{code}: write"})
        if self.backend:
            return self._pass_on(handler, body)
        text = gzip.decompress(body) if handler.headers.get("Content-Encoding") == "gzip" else body
        self.lines += text.decode().splitlines()
        return handler.answer(204)

    def _pass_on(self, handler, body):
        headers = {k: v for k, v in handler.headers.items() if k.lower() in ("content-encoding", "content-type")}
        request = urllib.request.Request(self.backend + handler.path, body or None, headers, method=handler.command)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except OSError:
            status, text = 503, b""
        handler.send_response(status)
        if status != 204:
            handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)


def main(port, org, bucket, token_file, state_file, backend, *command):
    if command:
        subprocess.Popen(command)
    Influx2(Path(token_file).read_text().strip(), org, bucket, ("", int(port)), backend, Path(state_file)).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
