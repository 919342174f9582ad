#!/usr/bin/env python3
"""Makes sets of any size: gen_csv.py DIR DATE CUSTOMERS ORDERS ITEMS [--bad N] [--seed S]

Writes customers_DATE.csv, orders_DATE.csv and items_DATE.csv, and what must come of them:
  expected_DATE.jsonl          the messages, one a line, in the order of the customers file
  expected_rejects_DATE.json   rejected rows of each file
With --bad, about N malformed rows of every kind are mixed in. The same arguments give the same bytes.
"""
import argparse
import json
import os
import random

FIRST = ["John", "Jane", "Alice", "Zo\u00eb", "Ali", "Mei", "Ivan", "Ana", "Noor", "O\"Neil"]
LAST = ["Doe", "Smith", "Johnson", "Garc\u00eda", "Kowalski, jr.", "Li", "Petrov", "Silva", "Khan", "Roe"]

# Rows that must be rejected: functions of a counter, so that each is its own row.
BAD = {
    "customers": [lambda i: f"x{i}", lambda i: f"y{i},a,b", lambda i: f",nobody {i}", lambda i: f"z{i},",
                  lambda i: f"w{i},{'n' * 600}", lambda i: b"u%d,\xff\xfe" % i],
    "orders": [lambda i: f"x{i},1", lambda i: f"y{i},no-such-customer,1.00", lambda i: f",1,1.00",
               lambda i: f"z{i},1,2.00,3", lambda i: f"w{i},1,1.234", lambda i: f"v{i},1,", lambda i: f"u{i},1,1e3",
               lambda i: f"t{i},1,\"1.00\"x", lambda i: f"s{i},1,+1.00", lambda i: f"r{i},1, 1.00",
               lambda i: f"q{i},1,1.{'0' * 600}", lambda i: f"p{i},1,9999999999999999.00"],
    "items": [lambda i: f"x{i}", lambda i: f"y{i},no-such-order", lambda i: f",1", lambda i: f"z{i},1,"],
}


def quote(text):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


def money(hundredths):
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def message(customer, name, orders):
    """The very bytes of a message; by hand, as json.dumps has no number with two places."""
    texts = []
    for order, amount, items in orders:
        ids = ",".join(f'"{i + 1}"' for i in items)
        texts.append(f'{{"id":"{order + 1}","amount":{money(amount)},"item_ids":[{ids}]}}')
    total = money(sum(amount for _, amount, _ in orders))
    return (f'{{"id":"{customer + 1}","name":{json.dumps(name, ensure_ascii=False)},"total_amount_spent":{total},'
            f'"orders":[{",".join(texts)}]}}')


class File:
    """One file, with bad rows mixed in at random places."""

    def __init__(self, folder, kind, date, header, rows, bad, rng):
        self.kind, self.rng = kind, rng
        self.out = open(os.path.join(folder, f"{kind}_{date}.csv"), "wb", 1 << 20)
        self.out.write(header.encode() + b"\n")
        self.left, self.bad, self.made = rows, bad, 0

    def row(self, text):
        while self.bad and self.rng.random() * self.left < self.bad:
            self.put_bad()
        self.left -= 1
        self.out.write(text.encode() + b"\n")

    def put_bad(self):
        kinds = BAD[self.kind]
        text = kinds[self.made % len(kinds)](self.made)
        self.out.write((text if isinstance(text, bytes) else text.encode()) + b"\n")
        self.bad -= 1
        self.made += 1

    def close(self):
        while self.bad:
            self.put_bad()
        self.out.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("date")
    for what in ("customers", "orders", "items"):
        parser.add_argument(what, type=int)
    parser.add_argument("--bad", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    os.makedirs(a.dir, exist_ok=True)
    rng = random.Random(a.seed)
    names, orders = [], [[] for _ in range(a.customers)]
    f = File(a.dir, "customers", a.date, "customer_id,customer_name", a.customers, a.bad, rng)
    for i in range(a.customers):
        names.append(f"{FIRST[i % len(FIRST)]} {LAST[i // len(FIRST) % len(LAST)]}")
        f.row(f"{i + 1},{quote(names[i])}")
    f.close()
    rejects = {"customers": f.made}
    f = File(a.dir, "orders", a.date, "order_id,customer_id,amount", a.orders, a.bad, rng)
    items = [[] for _ in range(a.orders)]
    amounts = []
    for i in range(a.orders):
        c = int(rng.random() * a.customers)
        orders[c].append(i)
        amounts.append(int(rng.random() * 50000))
        f.row(f"{i + 1},{c + 1},{money(amounts[i])}")
    f.close()
    rejects["orders"] = f.made
    f = File(a.dir, "items", a.date, "item_id,order_id", a.items, a.bad, rng)
    for i in range(a.items):
        o = int(rng.random() * a.orders)
        items[o].append(i)
        f.row(f"{i + 1},{o + 1}")
    f.close()
    rejects["items"] = f.made
    with open(os.path.join(a.dir, f"expected_{a.date}.jsonl"), "w", encoding="utf-8") as out:
        for c in range(a.customers):
            out.write(message(c, names[c], [(o, amounts[o], items[o]) for o in orders[c]]) + "\n")
    with open(os.path.join(a.dir, f"expected_rejects_{a.date}.json"), "w", encoding="utf-8") as out:
        json.dump(rejects, out)


main()
