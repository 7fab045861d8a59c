"""A loopback HTTP server that injects download faults: file_server.py FOLDER LOG PORT_FILE.

/plain/NAME supports ranges; /cut/NAME closes the connection halfway through the response; /whole/NAME ignores ranges;
/slow/NAME pauses before it answers; anything else is a 404. LOG gets one line per request: path and Range header.
"""
import http.server
import os
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        with open(log, "a") as lines:
            lines.write(f"{self.path} {wanted}\n")
        _, fault, name = (self.path + "//").split("/")[:3]
        path = os.path.join(folder, os.path.basename(name))
        if fault not in ("plain", "cut", "whole", "slow") or not os.path.isfile(path):
            self.send_error(404)
            return
        with open(path, "rb") as file:
            content = file.read()
        first = int(wanted[len("bytes="):-1]) if wanted and fault != "whole" else 0
        if first > 0 and first >= len(content):
            self.send_error(416)
            return
        body = content[first:]
        self.send_response(206 if first > 0 else 200)
        if first > 0:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "slow":
            time.sleep(2)
        self.wfile.write(body[:len(body) // 2] if fault == "cut" and len(body) > 1000 else body)

    def log_message(self, *_):
        pass


folder, log, port_file = sys.argv[1:]
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
