"""The few answers of the Hugging Face hub that fetching a data set needs, on a local port."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "c" * 40


@contextmanager
def hub(files: Mapping[str, bytes], repo: str) -> Iterator[str]:
    """Serve `files` as the Parquet branch of the data set `repo`; gives the server's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith(f"/api/datasets/{repo}/revision/"):
                listing = {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                self.answer(json.dumps(listing).encode(), "application/json")
            elif self.path.startswith(f"/api/datasets/{repo}/tree/"):
                tree = [
                    {"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in files.items()
                ]
                self.answer(json.dumps(tree).encode(), "application/json")
            else:
                self.file()

        do_HEAD = do_GET

        def file(self) -> None:
            prefix = f"/datasets/{repo}/resolve/{COMMIT}/"
            content = files.get(self.path.removeprefix(prefix)) if self.path.startswith(prefix) else None
            if content is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound" if prefix in self.path else "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.answer(content, "application/octet-stream")

        def answer(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
