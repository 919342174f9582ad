"""PartiQL by boto3: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction."""
import uuid

import pytest

from test_dynamodb import error, limited, make, raw  # noqa: F401

NOT_WELL_FORMED = "Statement wasn't well formed, can't be processed: "


@pytest.fixture(scope="module")
def ddb(weir):
    return weir.client("dynamodb")


@pytest.fixture(scope="module")
def table(ddb):
    """Ten items of partition "a" (sk 0 to 9), one of partition "b"; a global index by g, a local one by n."""
    name = make(ddb, "pk:S,sk:N", AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}],
                GlobalSecondaryIndexes=[{"IndexName": "gsi", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                         "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["s"]}}],
                LocalSecondaryIndexes=[{"IndexName": "lsi", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
                                        "Projection": {"ProjectionType": "KEYS_ONLY"}}])
    for i in range(10):
        ddb.put_item(TableName=name, Item={"pk": {"S": "a"}, "sk": {"N": str(i)}, "s": {"S": f"text-{i}"}, "n": {"N": str(-i)}, "g": {"S": f"g{i % 2}"},
                                           "m": {"M": {"k": {"S": "deep"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}}, "set": {"SS": ["x", "y"]},
                                           "even": {"BOOL": i % 2 == 0}, **({"null": {"NULL": True}} if i == 3 else {})})
    ddb.put_item(TableName=name, Item={"pk": {"S": "b"}, "sk": {"N": "1"}, "some": {"S": "it's"}})
    return name


def run(ddb, statement, parameters=None, **more):
    if parameters:
        more["Parameters"] = parameters
    return ddb.execute_statement(Statement=statement, **more)


def sks(items):
    return [int(i["sk"]["N"]) for i in items]


@pytest.mark.parametrize("where, want", [
    ("pk = 'a'", list(range(10))),
    ("'a' = pk AND sk = 4", [4]),
    ("pk = 'a' AND sk < 3", [0, 1, 2]), ("pk = 'a' AND sk >= 8", [8, 9]), ("pk = 'a' AND sk BETWEEN 2 AND 4", [2, 3, 4]),
    ("pk = 'a' AND sk NOT BETWEEN 2 AND 8", [0, 1, 9]),
    ("pk = 'a' AND sk > 3 AND sk < 6", [4, 5]),
    ("pk = 'a' AND (sk = 1 OR sk = 2)", [1, 2]),
    ("pk = 'a' AND NOT sk > 0", [0]),
    ("pk = 'a' AND sk IN [1, 5, 77]", [1, 5]), ("pk = 'a' AND sk NOT IN (0,1,2,3,4,5,6,7,8)", [9]),
    ("pk = 'a' AND begins_with(s, 'text-1')", [1]), ("pk = 'a' AND contains(\"s\", '-7')", [7]), ("pk = 'a' AND contains(\"set\", 'x') AND sk = 2", [2]),
    ("pk = 'a' AND size(s) = 6 AND sk = 2", [2]), ("pk = 'a' AND attribute_type(\"null\", 'NULL')", [3]),
    ("pk = 'a' AND \"null\" IS NULL", [3]), ("pk = 'a' AND \"null\" IS NOT MISSING", [3]), ("pk = 'b' AND some IS MISSING", []), ("pk = 'b' AND s IS MISSING", [1]),
    ("pk = 'a' AND even = TRUE AND sk <> 4 AND sk != 6", [0, 2, 8]),
    ("pk = 'a' AND m.l[1] = 2 AND m.k = 'deep' AND m['k'] = 'deep' AND sk = 2", [2]),
    ("pk = 'a' AND n = -3", [3]), ("pk = 'a' AND n < -7.5e0", [8, 9]),
    ("pk = 'b' AND some = 'it''s'", [1]),
    ("pk = 'a' AND \"set\" = <<'y', 'x'>> AND sk = 0", [0]), ("pk = 'a' AND m = {'k': 'deep', 'l': [1, 2]} AND sk = 0", [0]),
    ("pk = 'none'", []),
    ("pk = 'a' ORDER BY sk DESC", list(range(9, -1, -1))), ("pk = 'a' AND sk < 2 ORDER BY pk ASC, sk", [0, 1]),
    ("pk = 'a' AND sk = 1 -- a comment", [1]), ("pk = 'a' /* a comment */ AND sk = 1", [1]),
])
def test_where(ddb, table, where, want):
    assert sks(run(ddb, f'SELECT * FROM "{table}" WHERE {where}')["Items"]) == want


def test_scan_and_any_case(ddb, table):
    assert len(run(ddb, f'select sk from "{table}"')["Items"]) == 11
    assert run(ddb, f'SELECT pk FROM "{table}" WHERE some IS NOT MISSING')["Items"] == [{"pk": {"S": "b"}}]


def test_projections(ddb, table):
    got = run(ddb, f"SELECT pk, m.k, m.l[1], gone FROM \"{table}\" WHERE pk = 'a' AND sk = 2")["Items"]
    assert got == [{"pk": {"S": "a"}, "k": {"S": "deep"}, "l": {"N": "2"}}]
    assert run(ddb, f"SELECT gone FROM \"{table}\" WHERE pk = 'a' AND sk = 2")["Items"] == [{}]


def test_parameters(ddb, table):
    got = run(ddb, f'SELECT sk FROM "{table}" WHERE pk = ? AND sk IN [?, ?]', [{"S": "a"}, {"N": "1"}, {"N": "3"}])
    assert sks(got["Items"]) == [1, 3]
    for parameters in ([{"S": "a"}], [{"S": "a"}, {"N": "1"}, {"N": "2"}]):
        with error("ValidationException", "Number of parameters in request and statement don't match."):
            run(ddb, f'SELECT sk FROM "{table}" WHERE pk = ? AND sk = ?', parameters)
    with error("ValidationException", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"):
        run(ddb, f"SELECT pk FROM \"{table}\" WHERE pk = 'x' AND val < ?", [{"BOOL": True}])


def test_indexes(ddb, table):
    got = run(ddb, f"SELECT * FROM \"{table}\".\"gsi\" WHERE g = 'g1' AND s = 'text-3'")["Items"]
    assert got == [{"pk": {"S": "a"}, "sk": {"N": "3"}, "g": {"S": "g1"}, "s": {"S": "text-3"}}]
    got = run(ddb, f"SELECT sk, even FROM \"{table}\".lsi WHERE pk = 'a' AND n < -6", ConsistentRead=True)["Items"]
    assert sks(got) == [9, 8, 7] and got[0]["even"] == {"BOOL": False}
    invalid = "One or more parameter values were invalid: "
    for statement, message in [
            (f"SELECT * FROM \"{table}\".\"none\" WHERE pk = 'a'", "The table does not have the specified index"),
            (f"SELECT pk FROM \"{table}\".gsi WHERE g = 'x' AND even = TRUE", invalid + "Secondary index gsi does not project one or more filter attributes: [even]"),
            (f"SELECT pk FROM \"{table}\".lsi WHERE pk = 'x' AND even = TRUE", invalid + "Secondary index lsi does not project one or more filter attributes: [even]"),
            (f"SELECT pk FROM \"{table}\".gsi WHERE g IN ['x', 'g1'] AND even = TRUE", invalid + "Secondary index gsi does not project one or more filter attributes: [even]"),
            (f"SELECT even FROM \"{table}\".gsi WHERE g = 'x'", invalid + "Global secondary index gsi does not project [even]")]:
        with error("ValidationException", message):
            run(ddb, statement)
    # Where no partition is named the filter sees what the index has.
    for where, want in (("even = TRUE", []), ("NOT even = TRUE", list(range(10))), ("(g = 'g1' AND even = TRUE) OR (g = 'g0' AND s = 'text-2')", [2])):
        assert sorted(sks(run(ddb, f"SELECT sk FROM \"{table}\".gsi WHERE {where}")["Items"])) == want
    with error("ValidationException", "operator or function: BETWEEN, operand type: BOOL"):
        run(ddb, f"SELECT pk FROM \"{table}\" WHERE pk = 'x' AND val BETWEEN ? AND ?", [{"BOOL": True}, {"BOOL": False}])
    with error("ValidationException", "Strongly consistent read is not supported on Global Secondary Indexes"):
        run(ddb, f"SELECT * FROM \"{table}\".gsi WHERE g = 'x'", ConsistentRead=True)


def test_pages(ddb, table):
    statement, items, pages = f"SELECT sk FROM \"{table}\" WHERE pk = 'a'", [], 0
    more = {}
    while True:
        got = run(ddb, statement, Limit=4, ReturnConsumedCapacity="TOTAL", **more)
        items += got["Items"]
        pages += 1
        assert got["ConsumedCapacity"]["CapacityUnits"] == 0.5
        if "NextToken" not in got:
            break
        assert got["LastEvaluatedKey"] == {"pk": {"S": "a"}, "sk": items[-1]["sk"]}
        more = {"NextToken": got["NextToken"]}
    assert sks(items) == list(range(10)) and pages == 3
    with error("ValidationException", "NextToken"):
        run(ddb, statement, NextToken="bm9uc2Vuc2U")
    with error("ValidationException", "NextToken"):
        run(ddb, statement + " ", **more)


def test_writes(weir, ddb):
    name = make(ddb)
    key = {"id": {"S": "1"}}

    def item():
        return ddb.get_item(TableName=name, Key=key).get("Item")

    insert = f"INSERT INTO \"{name}\" VALUE {{'id': '1', 'n': 1, 'l': [1, TRUE, NULL], 'm': {{'k': ?}}, 'set': <<1, 2>>}}"
    assert run(ddb, insert, [{"B": b"bytes"}])["Items"] == []
    assert item() == {**key, "n": {"N": "1"}, "l": {"L": [{"N": "1"}, {"BOOL": True}, {"NULL": True}]}, "m": {"M": {"k": {"B": b"bytes"}}}, "set": {"NS": ["1", "2"]}}
    with error("DuplicateItemException", "Duplicate primary key exists in table"):
        run(ddb, insert, [{"S": "x"}])
    got = run(ddb, f"UPDATE \"{name}\" SET n = n + 5 SET m.k = 'x', l = list_append(l, [2]) REMOVE gone WHERE id = '1' AND n = 1 RETURNING MODIFIED NEW *")
    assert got["Items"] == [{"n": {"N": "6"}, "m": {"M": {"k": {"S": "x"}}}, "l": {"L": [{"N": "1"}, {"BOOL": True}, {"NULL": True}, {"N": "2"}]}}]
    got = run(ddb, f"UPDATE \"{name}\" SET \"set\" = set_add(\"set\", <<3>>) WHERE id = '1' RETURNING ALL OLD *")["Items"]
    assert got[0]["set"] == {"NS": ["1", "2"]}
    got = run(ddb, f"UPDATE \"{name}\" SET \"set\" = set_delete(\"set\", <<1, 2>>) REMOVE l REMOVE m WHERE id = '1' RETURNING ALL NEW *")["Items"]
    assert got == [{**key, "n": {"N": "6"}, "set": {"NS": ["3"]}}]
    assert run(ddb, f"UPDATE \"{name}\" REMOVE n WHERE id = '1' RETURNING MODIFIED OLD *")["Items"] == [{"n": {"N": "6"}}]
    with error("ConditionalCheckFailedException", "The conditional request failed"):
        run(ddb, f"UPDATE \"{name}\" SET a = 1 WHERE id = 'none'")
    status, reply = raw(weir, "ExecuteStatement", {"Statement": f"DELETE FROM \"{name}\" WHERE id = '1' AND n = 7",
                                                   "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
    assert status == 400 and reply["__type"].endswith("#ConditionalCheckFailedException") and reply["Item"] == item()
    assert run(ddb, f"DELETE FROM \"{name}\" WHERE id = '1' RETURNING ALL OLD *")["Items"] == [{**key, "set": {"NS": ["3"]}}]
    assert item() is None
    got = run(ddb, f"DELETE FROM \"{name}\" WHERE id = '1'", ReturnConsumedCapacity="TOTAL")
    assert got["Items"] == [] and got["ConsumedCapacity"] == {"TableName": name, "CapacityUnits": 1.0}


@pytest.mark.parametrize("statement, message", [
    ("SLECT * FROM \"T\"", NOT_WELL_FORMED + "Expected data manipulation"),
    ("SELECT * FROM \"T\" WHERE pk = 'a' foo", NOT_WELL_FORMED + "Unexpected token after expression"),
    ("SELECT * FROM \"T\" WHERE pk = 'a')", NOT_WELL_FORMED + "Unexpected token after expression"),
    ("SELECT * FROM \"T\" ORDER BY pk WHERE pk = 'a'", NOT_WELL_FORMED + "Unexpected token after expression"),
    ("INSERT INTO \"T\" VALUE {'pk': 'a'} foo", NOT_WELL_FORMED + "Unexpected token after expression"),
    ("INSERT INTO \"T\" t VALUE {'pk': 'a'}", NOT_WELL_FORMED + "Unexpected token after expression"),
    ("DELETE FROM \"T\" WHERE pk = 'a' ORDER BY pk", NOT_WELL_FORMED + "Unexpected token after expression"),
    ("SELECT * FROM \"T\" t WHERE pk = 'a'", "Aliasing is not supported"), ("SELECT * FROM \"T\" AS t", "Aliasing is not supported"),
    ("UPDATE \"T\" t SET a = 3 WHERE pk = 'x'", "Aliasing is not supported"), ("DELETE FROM \"T\" t WHERE pk = 'x'", "Aliasing is not supported"),
    ("SELECT * FROM \"T", NOT_WELL_FORMED), ("SELECT * FROM \"T\" WHERE pk = 'a", NOT_WELL_FORMED), ("SELECT * FROM \"T\" WHERE pk = 1 # note", NOT_WELL_FORMED),
    ("SELECT * FROM \"T\" WHERE pk = 1 /* note", NOT_WELL_FORMED), ("SELECT * FROM \"T\" WHERE", NOT_WELL_FORMED), ("SELECT FROM \"T\"", NOT_WELL_FORMED),
    ("SELECT * FROM \"T\" WHERE pk", NOT_WELL_FORMED), ("SELECT * FROM \"T\" WHERE (pk)", NOT_WELL_FORMED), ("SELECT * FROM \"T\" WHERE pk = 'a' AND (sk)", NOT_WELL_FORMED),
    ("SELECT * FROM \"T\".\"gsi\".\"more\"", "A path may contain at most 2 components in the FROM clause"),
    ("SELECT * FROM \"T\".\"\"", "Path component cannot be an empty string"), ("SELECT * FROM \"\"", "Path component cannot be an empty string"),
    ("SELECT * FROM \"T\" WHERE n = 1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range under root"),
    ("SELECT * FROM \"T\" WHERE n = 1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range under root"),
    ("SELECT * FROM \"T\" WHERE n = 123456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number under root"),
    ("SELECT * FROM \"T\" WHERE nothing(n)", "Invalid function name; function: nothing"),
    ("SELECT * FROM \"T\" ORDER BY sk", "Must have WHERE clause in the statement when using ORDER BY clause."),
    ("SELECT * FROM \"T\" WHERE pk = 1", "Condition parameter type does not match schema type"),
    ("DELETE FROM \"T\" WHERE pk = 'x' AND sk = 1 RETURNING MODIFIED OLD *",
     "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements."),
    ("DELETE FROM \"T\" WHERE pk = 'x' AND sk = 1 RETURNING ALL NEW *",
     "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements."),
    ("DELETE FROM \"T\" WHERE pk = 'x'", "Where clause does not contain a mandatory equality on all key attributes"),
    ("UPDATE \"T\" SET a = 1", "Where clause does not contain a mandatory equality on all key attributes"),
    ("UPDATE \"T\" SET a = 1 WHERE pk = 'x' AND sk > 1", "Where clause does not contain a mandatory equality on all key attributes"),
    ("UPDATE \"T\" SET sk = 1 WHERE pk = 'x' AND sk = 1", "Cannot update attribute sk. This attribute is part of the key"),
    ("UPDATE \"T\" SET a = 1, a = 2 WHERE pk = 'x' AND sk = 1", "Two document paths overlap with each other"),
    ("INSERT INTO \"T\" VALUE {'pk': 'x'}", "Missing the key sk in the item"), ("INSERT INTO \"T\" VALUE {'pk': 'x', 'sk': 'y'}", "Type mismatch for key sk expected: N actual: S"),
    ("INSERT INTO \"T\" VALUE {'pk': 'x', 'sk': 1, 's': <<'a', 'a'>>}", "contains duplicates"),
    ("INSERT INTO \"T\" VALUE {'pk': 'x', 'sk': 1, 'n': 'y'}", "Type mismatch for Index Key n Expected: N Actual: S IndexName: lsi"),
    ("EXISTS(SELECT * FROM \"T\" WHERE pk = 'x' AND sk = 1)", "EXISTS"),
])
def test_statements_refused(ddb, table, statement, message):
    with error("ValidationException", message):
        run(ddb, statement.replace('"T', f'"{table}', 1))
    got = ddb.batch_execute_statement(Statements=[{"Statement": statement.replace('"T', f'"{table}', 1)}])["Responses"]
    assert got[0]["Error"]["Code"] == "ValidationError"


def test_table_not_found(ddb):
    with error("ResourceNotFoundException", "Requested resource not found"):
        run(ddb, "SELECT * FROM \"no-such-table\" WHERE pk = 'x'")


def test_batches(ddb, table):
    def batch(*statements, **more):
        return ddb.batch_execute_statement(Statements=[s if isinstance(s, dict) else {"Statement": s} for s in statements], **more)

    got = batch(f"SELECT s FROM \"{table}\" WHERE pk = 'a' AND sk = 1", f"SELECT s FROM \"{table}\" WHERE pk = 'a' AND sk = 77",
                {"Statement": f'SELECT s FROM "{table}" WHERE pk = ? AND sk = ?', "Parameters": [{"S": "a"}, {"N": "2"}], "ConsistentRead": True},
                f"SELECT s FROM \"{table}\" WHERE pk = 'a'", "SELECT s FROM \"no-such-table\" WHERE pk = 'a'",
                f"SELECT * FROM \"{table}\".gsi WHERE g = 'g1'", ReturnConsumedCapacity="TOTAL")
    assert [r.get("Item") for r in got["Responses"]] == [{"s": {"S": "text-1"}}, None, {"s": {"S": "text-2"}}, None, None, None]
    assert [r.get("Error", {}).get("Code") for r in got["Responses"]] == [None, None, None, "ValidationError", "ResourceNotFound", "ValidationError"]
    assert "must specify the primary key in the where clause" in got["Responses"][3]["Error"]["Message"]
    assert [c["CapacityUnits"] for c in got["ConsumedCapacity"]] == [0.5, 0.5, 1.0] and got["Responses"][0]["TableName"] == table
    name = make(ddb)
    got = batch(f"INSERT INTO \"{name}\" VALUE {{'id': '1', 'a': 1}}", f"INSERT INTO \"{name}\" VALUE {{'id': '1', 'a': 2}}",
                f"UPDATE \"{name}\" SET a = 3 WHERE id = '1' RETURNING ALL NEW *", f"UPDATE \"{name}\" SET a = 3 WHERE id = '2'",
                f"UPDATE \"{name}\" REMOVE b WHERE id = '1' RETURNING MODIFIED NEW *", f"INSERT INTO \"{name}\" VALUE {{'id': 5}}")["Responses"]
    assert [r.get("Error", {}).get("Code") for r in got] == [None, "DuplicateItem", None, "ConditionalCheckFailed", None, "ValidationError"]
    assert got[2]["Item"] == {"id": {"S": "1"}, "a": {"N": "3"}} and "Item" not in got[4]
    assert ddb.scan(TableName=name)["Items"] == [{"id": {"S": "1"}, "a": {"N": "3"}}]


def test_transactions(ddb, table):
    name = make(ddb)

    def transact(*statements, **more):
        return ddb.execute_transaction(TransactStatements=[{"Statement": s} for s in statements], **more)

    one = f"INSERT INTO \"{name}\" VALUE {{'id': '1', 'n': 0}}"
    got = transact(one, f"EXISTS(SELECT * FROM \"{table}\" WHERE pk = 'a' AND sk = 1 AND even = FALSE)", ReturnConsumedCapacity="TOTAL")
    assert [c["WriteCapacityUnits"] for c in got["ConsumedCapacity"]] == [2.0, 2.0]
    with error("TransactionCanceledException", "[DuplicateItem, None]"):
        transact(one, f"INSERT INTO \"{name}\" VALUE {{'id': '2'}}")
    with error("TransactionCanceledException", "[None, ConditionalCheckFailed]"):
        transact(f"INSERT INTO \"{name}\" VALUE {{'id': '2'}}", f"EXISTS(SELECT * FROM \"{table}\" WHERE pk = 'a' AND sk = 1 AND even = TRUE)")
    assert ddb.scan(TableName=name)["Count"] == 1
    token = uuid.uuid4().hex
    for _ in range(2):
        transact(f"UPDATE \"{name}\" SET n = n + 1 WHERE id = '1'", ClientRequestToken=token)
    got = transact(f"SELECT n FROM \"{name}\" WHERE id = '1'", f"SELECT * FROM \"{name}\" WHERE id = 'none'", ReturnConsumedCapacity="TOTAL")
    assert got["Responses"] == [{"Item": {"n": {"N": "1"}}}, {}] and got["ConsumedCapacity"][0]["ReadCapacityUnits"] == 4.0
    for statement, message in [
            (f"UPDATE \"{name}\" SET n = 5 WHERE id = '1' RETURNING ALL NEW *", "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction."),
            (f"SELECT * FROM \"{table}\".gsi WHERE g = 'g1'", "Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions."),
            (f"SELECT * FROM \"{table}\" WHERE pk = 'a'", "must specify the primary key in the where clause")]:
        with error("ValidationException", message):
            transact(statement)
    with error("ValidationException", "either reads or writes"):
        transact(f"SELECT * FROM \"{name}\" WHERE id = '1'", one)
    assert ddb.get_item(TableName=name, Key={"id": {"S": "1"}})["Item"]["n"] == {"N": "1"}


def test_permissions(ddb, table, limited):  # noqa: F811
    arn = f"arn:aws:dynamodb:*:*:table/{table}"
    user = limited({"Effect": "Allow", "Action": ["dynamodb:PartiQLSelect", "dynamodb:PartiQLInsert"], "Resource": arn})
    assert len(run(user, f"SELECT sk FROM \"{table}\" WHERE pk = 'a'")["Items"]) == 10
    run(user, f"INSERT INTO \"{table}\" VALUE {{'pk': 'mine', 'sk': 1}}")
    for statement in (f"UPDATE \"{table}\" SET a = 1 WHERE pk = 'mine' AND sk = 1", f"DELETE FROM \"{table}\" WHERE pk = 'mine' AND sk = 1",
                      f"SELECT * FROM \"{table}\".gsi WHERE g = 'g1'", "SELECT * FROM \"other-table\" WHERE pk = 'a'"):
        with error("AccessDeniedException"):
            run(user, statement)
        with error("AccessDeniedException"):
            user.batch_execute_statement(Statements=[{"Statement": f"SELECT * FROM \"{table}\" WHERE pk = 'a' AND sk = 1"}, {"Statement": statement}])
        with error("AccessDeniedException"):
            user.execute_transaction(TransactStatements=[{"Statement": statement}])
    run(ddb, f"DELETE FROM \"{table}\" WHERE pk = 'mine' AND sk = 1")
    scans = limited({"Effect": "Allow", "Action": "dynamodb:PartiQL*", "Resource": arn},
                    {"Effect": "Deny", "Action": "dynamodb:PartiQLSelect", "Resource": "*", "Condition": {"Bool": {"dynamodb:FullTableScan": "true"}}})
    run(scans, f"SELECT * FROM \"{table}\" WHERE pk = 'a'")
    for where in ("", " WHERE s = 'x'", " WHERE pk = 'a' OR pk = 'b'"):
        with error("AccessDeniedException"):
            run(scans, f'SELECT * FROM "{table}"{where}')
    keys = limited({"Effect": "Allow", "Action": "dynamodb:PartiQL*", "Resource": arn, "Condition": {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a"], "dynamodb:Attributes": ["pk", "sk", "s"]}, "Null": {"dynamodb:LeadingKeys": "false"}}})
    run(keys, f"SELECT s FROM \"{table}\" WHERE pk = 'a'")
    for statement in (f"SELECT s FROM \"{table}\" WHERE pk = 'b'", f"SELECT even FROM \"{table}\" WHERE pk = 'a'", f"SELECT s FROM \"{table}\" WHERE pk = 'a' AND even = TRUE",
                      f"SELECT s FROM \"{table}\"", f"INSERT INTO \"{table}\" VALUE {{'pk': 'b', 'sk': 9}}", f"UPDATE \"{table}\" SET even = 1 WHERE pk = 'a' AND sk = 1"):
        with error("AccessDeniedException"):
            run(keys, statement)
