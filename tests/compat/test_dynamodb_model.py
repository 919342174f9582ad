"""DynamoDB against a model of it written apart: conditions, arithmetic, order of keys, with thousands of generated cases.

The seed is printed with each failure; WEIR_SEED=n runs one again."""
import decimal
import os
import random

import pytest

from test_dynamodb import make

SEED = int(os.environ.get("WEIR_SEED", "20261"))
EXACT = decimal.Context(prec=400, Emax=1000, Emin=-1000)
ORDERED = ("S", "N", "B")


@pytest.fixture(scope="module")
def ddb(weir):
    return weir.client("dynamodb")


# --- values: (type, Python value) ---------------------------------------------------------------


def number(rnd):
    digits = rnd.choice([1, 2, 3, 17, 38])
    text = "".join(rnd.choice("0123456789") for _ in range(digits)).lstrip("0") or "0"
    exponent = rnd.choice([0, 0, -1, 1, -5, 7, rnd.randint(-120, 80)])
    return decimal.Decimal(rnd.choice(["", "-"]) + text + f"E{exponent}")


def value(rnd, depth=2):
    kind = rnd.choice(["S", "S", "N", "N", "B", "BOOL", "NULL", "SS", "NS", "L", "M"][:11 if depth else 9])
    if kind == "S":
        return kind, rnd.choice(["", "a", "ab", "b", "\u00e9", "\U0001f600", "abc"])
    if kind == "N":
        return kind, rnd.choice([decimal.Decimal(n) for n in ("0", "-0", "1", "1.0", "10E-1", "2", "-1", "3")])
    if kind == "B":
        return kind, rnd.choice([b"a", b"ab", b"\xff", b"\x00"])
    if kind == "BOOL":
        return kind, rnd.random() < 0.5
    if kind == "NULL":
        return kind, None
    if kind == "SS":
        return kind, frozenset(rnd.sample(["a", "ab", "b", "c"], rnd.randint(1, 3)))
    if kind == "NS":
        return kind, frozenset(decimal.Decimal(n) for n in rnd.sample(["0", "1", "2", "3.5"], rnd.randint(1, 3)))
    if kind == "L":
        return kind, tuple(value(rnd, depth - 1) for _ in range(rnd.randint(0, 3)))
    return kind, {k: value(rnd, depth - 1) for k in rnd.sample(["x", "y", "z"], rnd.randint(0, 3))}


def wire(v):
    kind, x = v
    if kind == "N":
        return {"N": str(x)}
    if kind == "NULL":
        return {"NULL": True}
    if kind == "SS":
        return {"SS": sorted(x)}
    if kind == "NS":
        return {"NS": [str(n) for n in x]}
    if kind == "L":
        return {"L": [wire(e) for e in x]}
    if kind == "M":
        return {"M": {k: wire(e) for k, e in x.items()}}
    return {kind: x}


# --- the model of conditions --------------------------------------------------------------------


def order(v):
    return v[1].encode() if v[0] == "S" else v[1]


def compare(op, a, b):
    if op == "<>":
        return a is None or b is None or a != b
    if a is None or b is None:
        return False
    if op == "=":
        return a == b
    if a[0] != b[0] or a[0] not in ORDERED:
        return False
    x, y = order(a), order(b)
    return {"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[op]


def size(v):
    if v is None or v[0] in ("N", "BOOL", "NULL"):
        return None
    return "N", decimal.Decimal(len(v[1]))


def contains(a, b):
    if a is None or b is None:
        return False
    if a[0] in ("S", "B") and a[0] == b[0]:
        return b[1] in a[1]
    if a[0] in ("SS", "NS"):
        return b[0] == a[0][0] and b[1] in a[1]
    return a[0] == "L" and b in a[1]


class Case:
    """A condition as text, with its values, and as a function of an item."""

    def __init__(self, rnd):
        self.rnd, self.values = rnd, {}
        self.text, self.holds = self.condition(3)

    def literal(self, kinds=None):
        v = value(self.rnd)
        while kinds and v[0] not in kinds:
            v = value(self.rnd)
        key = f":v{len(self.values)}"
        self.values[key] = wire(v)
        return key, lambda item: v

    def path(self):
        name = self.rnd.choice(["p", "q", "r", "t"])
        step = self.rnd.choice(["", "", "", ".x", "[1]"])

        def walk(item):
            v = item.get(name)
            if step == ".x":
                return v[1].get("x") if v and v[0] == "M" else None
            if step == "[1]":
                return v[1][1] if v and v[0] == "L" and len(v[1]) > 1 else None
            return v
        return name + step, walk

    def operand(self, kinds=None):
        pick = self.rnd.random()
        if pick < 0.15:
            text, at = self.path()
            return f"size({text})", lambda item: size(at(item))
        text, at = self.path() if pick < 0.4 else self.literal(kinds)
        return (f"({text})", at) if self.rnd.random() < 0.1 else (text, at)

    def simple(self):
        rnd = self.rnd
        left, at = self.path()
        kind = rnd.choice(["compare", "compare", "between", "in", "exists", "type", "begins", "contains"])
        if kind == "compare":
            op = rnd.choice(["=", "<>", "<", "<=", ">", ">="])
            right, to = self.operand(None if op in ("=", "<>") else ORDERED)
            while right.strip("()") == left:
                right, to = self.literal(ORDERED)
            if rnd.random() < 0.2:
                left, at, right, to = right, to, left, at
            return f"{left} {op} {right}", lambda item: compare(op, at(item), to(item))
        if kind == "between":
            lo, hi = self.literal("N"), self.literal("N")
            if decimal.Decimal(self.values[lo[0]]["N"]) > decimal.Decimal(self.values[hi[0]]["N"]):
                lo, hi = hi, lo
            return f"{left} BETWEEN {lo[0]} AND {hi[0]}", lambda item: compare(">=", at(item), lo[1](item)) and compare("<=", at(item), hi[1](item))
        if kind == "in":
            many = [self.literal() for _ in range(rnd.randint(1, 4))]
            return f"{left} IN ({', '.join(t for t, _ in many)})", lambda item: any(compare("=", at(item), f(item)) for _, f in many)
        if kind == "exists":
            no = rnd.random() < 0.5
            return f"attribute_{'not_' if no else ''}exists({left})", lambda item: (at(item) is None) == no
        if kind == "type":
            name = rnd.choice(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"])
            key = f":v{len(self.values)}"
            self.values[key] = {"S": name}
            return f"attribute_type({left}, {key})", lambda item: at(item) is not None and at(item)[0] == name
        right, to = self.literal(("S", "B") if kind == "begins" else None)
        if kind == "contains":
            return f"contains({left}, {right})", lambda item: contains(at(item), to(item))

        def begins(item):
            a, b = at(item), to(item)
            return a is not None and a[0] == b[0] and a[1].startswith(b[1])
        return f"begins_with({left}, {right})", begins

    def condition(self, depth):
        pick = self.rnd.random()
        if depth == 0 or pick < 0.4:
            return self.simple()
        one, first = self.condition(depth - 1)
        if pick < 0.55:
            return f"NOT ({one})", lambda item: not first(item)
        two, second = self.condition(depth - 1)
        if pick < 0.8:
            return f"({one}) AND ({two})", lambda item: first(item) and second(item)
        return f"({one}) OR ({two})", lambda item: first(item) or second(item)


def redundant(text):
    """Whether parentheses stand directly in parentheses, which DynamoDB refuses."""
    opened, pairs = [], set()
    for i, c in enumerate(text):
        if c == "(":
            opened.append(i)
        elif c == ")":
            pairs.add((opened.pop(), i))
    return any((a + 1, b - 1) in pairs for a, b in pairs)


def test_conditions(ddb):
    """120 conditions over 40 items: 4,800 cases."""
    rnd = random.Random(SEED)
    name = make(ddb)
    items = {}
    for i in range(40):
        items[str(i)] = {k: value(rnd) for k in rnd.sample(["p", "q", "r", "t"], rnd.randint(0, 4))}
        ddb.put_item(TableName=name, Item={"id": {"S": str(i)}, **{k: wire(v) for k, v in items[str(i)].items()}})
    for n in range(120):
        case = Case(rnd)
        while redundant(case.text):
            case = Case(rnd)
        more = {"ExpressionAttributeValues": case.values} if case.values else {}
        used = {k for k in case.values if any(k + end in case.text + " " for end in (" ", ")", ","))}
        if used != set(case.values):
            more = {"ExpressionAttributeValues": {k: case.values[k] for k in used}} if used else {}
        got = ddb.scan(TableName=name, FilterExpression=case.text, ProjectionExpression="id", **more)["Items"]
        want = {k for k, item in items.items() if case.holds(item)}
        assert {i["id"]["S"] for i in got} == want, (SEED, n, case.text, case.values)


# --- numbers ------------------------------------------------------------------------------------


def fits(x):
    if not x:
        return True
    digits = x.normalize(EXACT).as_tuple()
    return len(digits.digits) <= 38 and -130 <= x.adjusted() <= 125


def test_arithmetic(ddb):
    rnd = random.Random(SEED)
    name = make(ddb)
    for n in range(200):
        a, b, plus = number(rnd), number(rnd), rnd.random() < 0.5
        if not fits(a) or not fits(b):
            continue
        ddb.put_item(TableName=name, Item={"id": {"S": "1"}, "n": {"N": str(a)}})
        want = EXACT.add(a, b) if plus else EXACT.subtract(a, b)
        update = {"TableName": name, "Key": {"id": {"S": "1"}}, "UpdateExpression": f"SET n = n {'+' if plus else '-'} :b",
                  "ExpressionAttributeValues": {":b": {"N": str(b)}}, "ReturnValues": "UPDATED_NEW"}
        if fits(want):
            got = ddb.update_item(**update)["Attributes"]["n"]["N"]
            assert decimal.Decimal(got) == want and "E" not in got.upper(), (SEED, n, a, b, plus)
        else:
            with pytest.raises(ddb.exceptions.ClientError):
                ddb.update_item(**update)


@pytest.mark.parametrize("kind", ["N", "S", "B"])
def test_order_of_keys(ddb, kind):
    """All of a partition, in order and back, and every kind of bound."""
    rnd = random.Random(SEED)
    name = make(ddb, f"id:S,sk:{kind}")
    if kind == "N":
        keys = {x for x in (number(rnd) for _ in range(100)) if fits(x)}
    elif kind == "S":
        keys = {"".join(rnd.choice("ab\u0001\u00e9\U0001f600z") for _ in range(rnd.randint(1, 4))) for _ in range(150)}
    else:
        keys = {bytes(rnd.choice(b"\x00\x01\x02a\xfe\xff") for _ in range(rnd.randint(1, 4))) for _ in range(150)}
    keys = list(keys)
    for i in range(0, len(keys), 25):
        ddb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": {"id": {"S": "1"}, "sk": wire((kind, k))}}} for k in keys[i:i + 25]]})
    keys = sorted(set(keys), key=lambda k: order((kind, k)))

    def query(condition="", values=(), **more):
        names = {f":v{i}": wire((kind, v)) for i, v in enumerate(values)}
        got = ddb.query(TableName=name, KeyConditionExpression="id = :id" + condition,
                        ExpressionAttributeValues={":id": {"S": "1"}, **names}, **more)["Items"]
        return [decimal.Decimal(i["sk"]["N"]) if kind == "N" else i["sk"][kind] for i in got]

    assert query() == keys, SEED
    assert query(ScanIndexForward=False) == keys[::-1], SEED
    for _ in range(10):
        lo, hi = sorted(rnd.sample(range(len(keys)), 2))
        a, b = keys[lo], keys[hi]
        assert query(" AND sk < :v0", [a]) == keys[:lo] and query(" AND sk <= :v0", [a]) == keys[:lo + 1], (SEED, a)
        assert query(" AND :v0 < sk", [a]) == keys[lo + 1:] and query(" AND sk >= :v0", [a]) == keys[lo:], (SEED, a)
        assert query(" AND sk BETWEEN :v0 AND :v1", [a, b]) == keys[lo:hi + 1], (SEED, a, b)
        assert query(" AND sk = :v0", [a]) == [a], (SEED, a)
        if kind != "N":
            assert query(" AND begins_with(sk, :v0)", [a[:1]]) == [k for k in keys if k.startswith(a[:1])], (SEED, a)
