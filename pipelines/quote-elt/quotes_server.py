#!/usr/bin/env python3
"""A quotes API in the shape of the public one, for tests, demonstrations and work without a network.

    quotes_server.py [--listen 127.0.0.1:8017] [--seed 7]
        GET /random                   a quote
        GET /quotes/random?limit=5    a list of them
    quotes_server.py --print 5        such a list, once

Functions on Weir do not reach what listens on Weir's host, unless it runs with --function-network=host. Hence
the demonstration prints a document and puts it where they reach it: into a bucket."""
import argparse
import hashlib
import json
import random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LIMIT_MAX = 100
# Sentences of nobody and proverbs, which are everybody's.
QUOTES = [
    ("Proverb", ["wisdom", "patience"], "A watched pot never boils."),
    ("Proverb", ["wisdom"], "Many hands make light work."),
    ("Proverb", ["wisdom", "work"], "Too many cooks spoil the broth."),
    ("Proverb", ["patience"], "Rome was not built in a day."),
    ("Proverb", ["friendship"], "A friend in need is a friend indeed."),
    ("Miller's Saying", ["work"], "Still water grinds no corn."),
    ("Miller's Saying", ["work", "patience"], "The mill cannot grind with water that is past."),
    ("Sailor's Saying", ["courage"], "A smooth sea never made a skilled sailor."),
    ("Sailor's Saying", ["weather"], "Red sky at night, sailor's delight."),
    ("River Keeper", ["water"], "A weir does not stop the river; it makes it keep its hours."),
    ("River Keeper", ["water", "patience"], "High water tells you what the dry months forgot."),
    ("River Keeper", [], "Clean the grate before the rain, not after."),
]


def quote(n):
    author, tags, content = QUOTES[n]
    return {
        "_id": hashlib.sha256(content.encode()).hexdigest()[:12],
        "content": content,
        "author": author,
        "tags": tags,
        "authorSlug": "".join(c for c in author.lower().replace(" ", "-") if c.isalnum() or c == "-"),
        "length": len(content),
        "dateAdded": f"2023-04-{n + 1:02}",
        "dateModified": f"2023-05-{n + 1:02}",
    }


def quotes(n, chance=random):
    """A list of n, as /quotes/random?limit=n answers."""
    return [quote(i) for i in chance.sample(range(len(QUOTES)), min(n, len(QUOTES)))]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        limit = parse_qs(url.query).get("limit", ["1"])[0]
        if url.path == "/random":
            self.answer(200, quotes(1, self.server.chance)[0])
        elif url.path == "/quotes/random" and limit.isdigit() and 1 <= int(limit) <= LIMIT_MAX:
            self.answer(200, quotes(int(limit), self.server.chance))
        else:
            self.answer(404, {"statusCode": 404, "statusMessage": "Not Found"})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:8017")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--print", type=int, dest="n")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    if args.n:
        print(json.dumps(quotes(args.n, chance)))
        return
    host, _, port = args.listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.chance = chance
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
