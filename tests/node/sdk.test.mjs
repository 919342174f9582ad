// The AWS SDK for JavaScript v3 against Weir: JSON protocols, streamed uploads with trailing
// checksums, presigned URLs. WEIR_ENDPOINT says where it serves.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";

import { DynamoDBClient, CreateTableCommand, PutItemCommand, GetItemCommand, DeleteTableCommand, QueryCommand }
  from "@aws-sdk/client-dynamodb";
import { LambdaClient, GetFunctionCommand, InvokeWithResponseStreamCommand } from "@aws-sdk/client-lambda";
import { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand, ListObjectsV2Command, DeleteObjectsCommand,
  DeleteBucketCommand, HeadObjectCommand, GetBucketTaggingCommand, GetBucketLocationCommand } from "@aws-sdk/client-s3";
import { SQSClient, CreateQueueCommand, SendMessageCommand, ReceiveMessageCommand, DeleteMessageCommand,
  DeleteQueueCommand, GetQueueUrlCommand, SendMessageBatchCommand, QueueDoesNotExist } from "@aws-sdk/client-sqs";
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const config = {
  endpoint: process.env.WEIR_ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
};
const sha = (b) => createHash("sha256").update(b).digest("hex");

async function collect(stream) {
  const parts = [];
  for await (const p of stream) parts.push(p);
  return Buffer.concat(parts);
}

test("sts", async () => {
  const who = await new STSClient(config).send(new GetCallerIdentityCommand({}));
  assert.equal(who.Arn, "arn:aws:iam::000000000000:root");
});

test("s3", async () => {
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const Bucket = "node-bucket";
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new GetBucketLocationCommand({ Bucket }));
  await assert.rejects(s3.send(new GetBucketTaggingCommand({ Bucket })), { name: "NoSuchTagSet" });

  await s3.send(new PutObjectCommand({ Bucket, Key: "text ä/1", Body: "hello", Metadata: { a: "b" } }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "text ä/1" }));
  assert.equal(await got.Body.transformToString(), "hello");
  assert.deepEqual(got.Metadata, { a: "b" });

  // A stream goes as aws-chunked with a trailing checksum and no Content-Length.
  const big = randomBytes(3 * 1024 * 1024 + 17);
  await s3.send(new PutObjectCommand({ Bucket, Key: "stream", Body: Readable.from([big.subarray(0, 100000), big.subarray(100000)]),
    ContentLength: big.length }));
  const back = await s3.send(new GetObjectCommand({ Bucket, Key: "stream", ChecksumMode: "ENABLED" }));
  assert.equal(sha(await collect(back.Body)), sha(big));

  const huge = randomBytes(12 * 1024 * 1024);
  await new Upload({ client: s3, params: { Bucket, Key: "multi", Body: huge }, partSize: 5 * 1024 * 1024 }).done();
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "multi" }));
  assert.equal(head.ContentLength, huge.length);
  assert.match(head.ETag, /-3"$/);
  const part = await s3.send(new GetObjectCommand({ Bucket, Key: "multi", Range: "bytes=5242870-5242890" }));
  assert.deepEqual(await collect(part.Body), huge.subarray(5242870, 5242891));

  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "text ä/1" }), { expiresIn: 60 });
  assert.equal(await (await fetch(url)).text(), "hello");
  assert.equal((await fetch(url.replace(/Signature=(.)/, (_, c) => `Signature=${c === "0" ? 1 : 0}`))).status, 403);

  const list = await s3.send(new ListObjectsV2Command({ Bucket }));
  assert.deepEqual(list.Contents.map((c) => c.Key), ["multi", "stream", "text ä/1"]);
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: list.Contents.map(({ Key }) => ({ Key })) } }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
});

test("sqs speaks JSON with the query codes that clients compare", async () => {
  const sqs = new SQSClient(config);
  await assert.rejects(sqs.send(new GetQueueUrlCommand({ QueueName: "nope" })), (e) => {
    assert.ok(e instanceof QueueDoesNotExist);
    assert.equal(e.Error?.Code ?? e.Code, "AWS.SimpleQueueService.NonExistentQueue");
    return true;
  });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "node-queue" }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "ä <&>", MessageAttributes: { n: { DataType: "Number", StringValue: "1" } } }));
  const batch = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: "a", MessageBody: "x" }, { Id: "b", MessageBody: "y" }] }));
  assert.equal(batch.Successful.length, 2);
  const bodies = [];
  while (bodies.length < 3) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"] }));
    assert.ok(Messages.length > 0);
    for (const m of Messages) {
      bodies.push(m.Body);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: m.ReceiptHandle }));
    }
  }
  assert.deepEqual(bodies.sort(), ["x", "y", "ä <&>"]);
  await sqs.send(new DeleteQueueCommand({ QueueUrl }));
});

test("dynamodb", async () => {
  const db = new DynamoDBClient(config);
  const TableName = "node-table";
  await db.send(new CreateTableCommand({ TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "p", AttributeType: "S" }, { AttributeName: "s", AttributeType: "N" }],
    KeySchema: [{ AttributeName: "p", KeyType: "HASH" }, { AttributeName: "s", KeyType: "RANGE" }] }));
  const Item = { p: { S: "x" }, s: { N: "-1.5" }, b: { B: new Uint8Array([0, 255]) }, m: { M: { l: { L: [{ NULL: true }, { BOOL: false }] } } },
    ss: { SS: ["a", "b"] } };
  await db.send(new PutItemCommand({ TableName, Item }));
  const got = await db.send(new GetItemCommand({ TableName, Key: { p: Item.p, s: Item.s } }));
  assert.deepEqual(got.Item, Item);
  const q = await db.send(new QueryCommand({ TableName, KeyConditionExpression: "p = :p and s < :s",
    ExpressionAttributeValues: { ":p": { S: "x" }, ":s": { N: "0" } } }));
  assert.equal(q.Count, 1);
  await assert.rejects(db.send(new PutItemCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(p)" })),
    { name: "ConditionalCheckFailedException" });
  await db.send(new DeleteTableCommand({ TableName }));
});

test("lambda errors carry their type", async () => {
  await assert.rejects(new LambdaClient(config).send(new GetFunctionCommand({ FunctionName: "nope" })),
    { name: "ResourceNotFoundException" });
});

test("lambda streams a response as events", async () => {
  const lambda = new LambdaClient(config);
  const { EventStream } = await lambda.send(new InvokeWithResponseStreamCommand({
    FunctionName: process.env.WEIR_FUNCTION, Payload: JSON.stringify({ a: "é" }), LogType: "Tail" }));
  let text = "", complete;
  for await (const event of EventStream) {
    if (event.PayloadChunk) text += Buffer.from(event.PayloadChunk.Payload).toString();
    if (event.InvokeComplete) complete = event.InvokeComplete;
  }
  assert.deepEqual(JSON.parse(text), { a: "é" });
  assert.match(Buffer.from(complete.LogResult, "base64").toString(), /REPORT RequestId/);
  assert.equal(complete.ErrorCode, undefined);
});
