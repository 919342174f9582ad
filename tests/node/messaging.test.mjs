// The AWS SDK for JavaScript v3 against Weir: streams of tables, topics, buses, schedules, keys.
// WEIR_ENDPOINT says where it serves.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DynamoDBClient, CreateTableCommand, PutItemCommand, UpdateItemCommand, DeleteItemCommand, DeleteTableCommand }
  from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient, ListStreamsCommand, DescribeStreamCommand, GetShardIteratorCommand, GetRecordsCommand }
  from "@aws-sdk/client-dynamodb-streams";
import { EventBridgeClient, CreateEventBusCommand, PutRuleCommand, PutTargetsCommand, ListTargetsByRuleCommand, PutEventsCommand,
  TestEventPatternCommand, CreateArchiveCommand, DescribeArchiveCommand, DeleteArchiveCommand, RemoveTargetsCommand, DeleteRuleCommand,
  DeleteEventBusCommand, DescribeRuleCommand, CreateConnectionCommand, DescribeConnectionCommand, DeleteConnectionCommand,
  CreateApiDestinationCommand, DescribeApiDestinationCommand, DeleteApiDestinationCommand, InvalidEventPatternException }
  from "@aws-sdk/client-eventbridge";
import { IAMClient, CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { KMSClient, CreateKeyCommand, CreateAliasCommand, EncryptCommand, DecryptCommand, GenerateDataKeyCommand, ReEncryptCommand,
  SignCommand, VerifyCommand, GetPublicKeyCommand, GenerateMacCommand, VerifyMacCommand, CreateGrantCommand, ListGrantsCommand,
  DisableKeyCommand, ScheduleKeyDeletionCommand, DisabledException, InvalidCiphertextException } from "@aws-sdk/client-kms";
import { SchedulerClient, CreateScheduleGroupCommand, CreateScheduleCommand, GetScheduleCommand, UpdateScheduleCommand,
  ListSchedulesCommand, DeleteScheduleCommand, DeleteScheduleGroupCommand, ConflictException, ValidationException }
  from "@aws-sdk/client-scheduler";
import { SNSClient, CreateTopicCommand, SubscribeCommand, PublishCommand, PublishBatchCommand, SetSubscriptionAttributesCommand,
  GetTopicAttributesCommand, ListSubscriptionsByTopicCommand, UnsubscribeCommand, DeleteTopicCommand, NotFoundException }
  from "@aws-sdk/client-sns";
import { SQSClient, CreateQueueCommand, GetQueueAttributesCommand, SetQueueAttributesCommand, ReceiveMessageCommand, DeleteMessageCommand }
  from "@aws-sdk/client-sqs";

const config = {
  endpoint: process.env.WEIR_ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
};
const sqs = new SQSClient(config);

// A queue that services may send to.
async function openQueue(name) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify({ Version: "2012-10-17", Statement: [
    { Effect: "Allow", Principal: { Service: ["sns.amazonaws.com", "events.amazonaws.com"] }, Action: "sqs:SendMessage", Resource: "*" }] }) } }));
  return { url: QueueUrl, arn: Attributes.QueueArn };
}

async function take(url) {
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20, MessageAttributeNames: ["All"] }));
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: Messages[0].ReceiptHandle }));
  return Messages[0];
}

test("dynamodb streams", async () => {
  const ddb = new DynamoDBClient(config), streams = new DynamoDBStreamsClient(config);
  const TableName = "node-streamed", Key = { id: { S: "a" } };
  const { TableDescription: made } = await ddb.send(new CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST", KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" } }));
  const StreamArn = made.LatestStreamArn;
  await ddb.send(new PutItemCommand({ TableName, Item: { ...Key, n: { N: "1" }, b: { B: new Uint8Array([0, 255]) } } }));
  await ddb.send(new UpdateItemCommand({ TableName, Key, UpdateExpression: "SET n = n + :one", ExpressionAttributeValues: { ":one": { N: "1" } } }));
  await ddb.send(new DeleteItemCommand({ TableName, Key }));

  const { Streams } = await streams.send(new ListStreamsCommand({ TableName }));
  assert.deepEqual(Streams.map((s) => s.StreamArn), [StreamArn]);
  const { StreamDescription: told } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  assert.equal(told.StreamViewType, "NEW_AND_OLD_IMAGES");
  assert.ok(told.CreationRequestDateTime instanceof Date);
  const records = [];
  for (const { ShardId } of told.Shards) {
    const { ShardIterator } = await streams.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
    const page = await streams.send(new GetRecordsCommand({ ShardIterator }));
    records.push(...page.Records);
  }
  assert.deepEqual(records.map((r) => r.eventName), ["INSERT", "MODIFY", "REMOVE"]);
  assert.deepEqual(records[1].dynamodb.NewImage.n, { N: "2" });
  assert.deepEqual(Buffer.from(records[0].dynamodb.NewImage.b.B), Buffer.from([0, 255]));
  assert.deepEqual(records[2].dynamodb.Keys, Key);
  await assert.rejects(streams.send(new GetRecordsCommand({ ShardIterator: "x" })));
  await ddb.send(new DeleteTableCommand({ TableName }));
});

test("sns", async () => {
  const sns = new SNSClient(config), queue = await openQueue("node-sns");
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "node-topic", Attributes: { DisplayName: "Node" } }));
  const { SubscriptionArn } = await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, ReturnSubscriptionArn: true,
    Attributes: { FilterPolicy: JSON.stringify({ kind: [{ prefix: "or" }] }) } }));
  await sns.send(new PublishCommand({ TopicArn, Message: "no" }));
  await sns.send(new PublishCommand({ TopicArn, Subject: "s", Message: "ä", MessageAttributes: { kind: { DataType: "String", StringValue: "order" } } }));
  const note = JSON.parse((await take(queue.url)).Body);
  assert.deepEqual([note.Type, note.Message, note.Subject, note.MessageAttributes.kind.Value], ["Notification", "ä", "s", "order"]);
  await sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName: "RawMessageDelivery", AttributeValue: "true" }));
  await sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName: "FilterPolicy", AttributeValue: "{}" }));
  const batch = await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [{ Id: "1", Message: "raw",
    MessageAttributes: { blob: { DataType: "Binary", BinaryValue: new Uint8Array([1, 2]) } } }] }));
  assert.deepEqual([batch.Successful.map((e) => e.Id), batch.Failed], [["1"], []]);
  const raw = await take(queue.url);
  assert.equal(raw.Body, "raw");
  assert.deepEqual(Buffer.from(raw.MessageAttributes.blob.BinaryValue), Buffer.from([1, 2]));
  assert.equal((await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes.DisplayName, "Node");
  assert.equal((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions.length, 1);
  await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
  await sns.send(new DeleteTopicCommand({ TopicArn }));
  await assert.rejects(sns.send(new PublishCommand({ TopicArn, Message: "x" })), NotFoundException);
});

test("eventbridge", async () => {
  const events = new EventBridgeClient(config), queue = await openQueue("node-events");
  const Name = "node-bus", EventPattern = JSON.stringify({ source: ["app"], detail: { n: [{ numeric: [">", 1] }] } });
  const { EventBusArn } = await events.send(new CreateEventBusCommand({ Name }));
  const { RuleArn } = await events.send(new PutRuleCommand({ Name: "r", EventBusName: Name, EventPattern, Tags: [{ Key: "a", Value: "b" }] }));
  assert.ok(RuleArn.endsWith(":rule/node-bus/r"));
  const put = await events.send(new PutTargetsCommand({ Rule: "r", EventBusName: Name, Targets: [{ Id: "t", Arn: queue.arn,
    InputTransformer: { InputPathsMap: { n: "$.detail.n" }, InputTemplate: '{"got": <n>}' }, RetryPolicy: { MaximumRetryAttempts: 2 } }] }));
  assert.equal(put.FailedEntryCount, 0);
  const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: "r", EventBusName: Name }));
  assert.deepEqual(Targets[0].InputTransformer.InputPathsMap, { n: "$.detail.n" });
  await events.send(new CreateArchiveCommand({ ArchiveName: "node-archive", EventSourceArn: EventBusArn, RetentionDays: 1 }));
  const done = await events.send(new PutEventsCommand({ Entries: [
    { EventBusName: Name, Source: "app", DetailType: "d", Detail: '{"n": 1}', Time: new Date(0) },
    { EventBusName: Name, Source: "app", DetailType: "d", Detail: '{"n": 2}' }, { EventBusName: Name, Source: "app", DetailType: "d", Detail: "no" }] }));
  assert.deepEqual([done.FailedEntryCount, done.Entries[2].ErrorCode], [1, "MalformedDetail"]);
  assert.deepEqual(JSON.parse((await take(queue.url)).Body), { got: 2 });
  assert.equal((await events.send(new DescribeArchiveCommand({ ArchiveName: "node-archive" }))).EventCount, 2);
  const event = { id: "1", "detail-type": "d", source: "app", account: "1", time: "2026-01-01T00:00:00Z", region: "r", resources: [], detail: { n: 5 } };
  assert.equal((await events.send(new TestEventPatternCommand({ EventPattern, Event: JSON.stringify(event) }))).Result, true);
  await assert.rejects(events.send(new PutRuleCommand({ Name: "bad", EventPattern: '{"a": 1}' })), InvalidEventPatternException);

  const { ConnectionArn } = await events.send(new CreateConnectionCommand({ Name: "node", AuthorizationType: "API_KEY",
    AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: "X-Key", ApiKeyValue: "secret" } } }));
  const told = await events.send(new DescribeConnectionCommand({ Name: "node" }));
  assert.deepEqual([told.ConnectionState, told.AuthParameters], ["AUTHORIZED", { ApiKeyAuthParameters: { ApiKeyName: "X-Key" } }]);
  await events.send(new CreateApiDestinationCommand({ Name: "node", ConnectionArn, InvocationEndpoint: "https://example.com/*", HttpMethod: "POST" }));
  assert.equal((await events.send(new DescribeApiDestinationCommand({ Name: "node" }))).ApiDestinationState, "ACTIVE");
  await events.send(new DeleteApiDestinationCommand({ Name: "node" }));
  await events.send(new DeleteConnectionCommand({ Name: "node" }));

  await events.send(new DeleteArchiveCommand({ ArchiveName: "node-archive" }));
  await events.send(new RemoveTargetsCommand({ Rule: "r", EventBusName: Name, Ids: ["t"] }));
  await events.send(new DeleteRuleCommand({ Name: "r", EventBusName: Name }));
  await assert.rejects(events.send(new DescribeRuleCommand({ Name: "r", EventBusName: Name })), { name: "ResourceNotFoundException" });
  await events.send(new DeleteEventBusCommand({ Name }));
});

test("scheduler", async () => {
  const scheduler = new SchedulerClient(config), iam = new IAMClient(config), queue = await openQueue("node-scheduler");
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "node-scheduler", AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "scheduler.amazonaws.com" }, Action: "sts:AssumeRole" }] }) }));
  await iam.send(new PutRolePolicyCommand({ RoleName: "node-scheduler", PolicyName: "p", PolicyDocument: JSON.stringify({ Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: queue.arn }] }) }));
  const GroupName = "node", Name = "s", FlexibleTimeWindow = { Mode: "OFF" };
  const Target = { Arn: queue.arn, RoleArn: Role.Arn, Input: "at once", RetryPolicy: { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60 } };
  await scheduler.send(new CreateScheduleGroupCommand({ Name: GroupName }));
  const { ScheduleArn } = await scheduler.send(new CreateScheduleCommand({ GroupName, Name, FlexibleTimeWindow, Target,
    ScheduleExpression: "cron(0 12 * * ? *)", ScheduleExpressionTimezone: "Australia/Lord_Howe", StartDate: new Date("2099-01-01T00:00:00Z") }));
  assert.ok(ScheduleArn.endsWith(":schedule/node/s"));
  const told = await scheduler.send(new GetScheduleCommand({ GroupName, Name }));
  assert.deepEqual([told.State, told.Target, told.StartDate.getTime()], ["ENABLED", Target, Date.UTC(2099, 0, 1)]);
  await assert.rejects(scheduler.send(new CreateScheduleCommand({ GroupName, Name, FlexibleTimeWindow, Target, ScheduleExpression: "rate(1 day)" })),
    ConflictException);
  await assert.rejects(scheduler.send(new CreateScheduleCommand({ Name: "bad", FlexibleTimeWindow, Target, ScheduleExpression: "cron(* * * * * *)" })),
    ValidationException);
  await scheduler.send(new UpdateScheduleCommand({ GroupName, Name, FlexibleTimeWindow, Target, ScheduleExpression: "rate(1 hours)", State: "DISABLED" }));
  assert.equal((await scheduler.send(new GetScheduleCommand({ GroupName, Name }))).State, "DISABLED");
  const soon = new Date(Date.now() + 1000).toISOString().slice(0, 19);
  await scheduler.send(new CreateScheduleCommand({ GroupName, Name: "once", FlexibleTimeWindow, Target, ScheduleExpression: `at(${soon})`,
    ActionAfterCompletion: "DELETE" }));
  assert.equal((await take(queue.url)).Body, "at once");
  const { Schedules } = await scheduler.send(new ListSchedulesCommand({ GroupName, NamePrefix: "s" }));
  assert.deepEqual(Schedules.map((s) => s.Name), ["s"]);
  await scheduler.send(new DeleteScheduleCommand({ GroupName, Name }));
  await scheduler.send(new DeleteScheduleGroupCommand({ Name: GroupName }));
});

test("kms", async () => {
  const kms = new KMSClient(config), bytes = (s) => new TextEncoder().encode(s), EncryptionContext = { team: "red" };
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: "node", Tags: [{ TagKey: "a", TagValue: "b" }] }));
  await kms.send(new CreateAliasCommand({ AliasName: "alias/node", TargetKeyId: KeyMetadata.KeyId }));
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: "alias/node", Plaintext: bytes("hush"), EncryptionContext }));
  const open = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
  assert.deepEqual([Buffer.from(open.Plaintext).toString(), open.KeyId], ["hush", KeyMetadata.Arn]);
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })), InvalidCiphertextException);
  const data = await kms.send(new GenerateDataKeyCommand({ KeyId: KeyMetadata.KeyId, KeySpec: "AES_256" }));
  assert.equal(data.Plaintext.length, 32);
  const other = await kms.send(new CreateKeyCommand({}));
  const again = await kms.send(new ReEncryptCommand({ CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: other.KeyMetadata.KeyId }));
  assert.equal(Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob: again.CiphertextBlob }))).Plaintext).toString(), "hush");

  const signer = (await kms.send(new CreateKeyCommand({ KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" }))).KeyMetadata.KeyId;
  const signed = { KeyId: signer, Message: bytes("m"), SigningAlgorithm: "ECDSA_SHA_256" };
  const { Signature } = await kms.send(new SignCommand(signed));
  assert.equal((await kms.send(new VerifyCommand({ ...signed, Signature }))).SignatureValid, true);
  assert.ok((await kms.send(new GetPublicKeyCommand({ KeyId: signer }))).PublicKey.length > 60);
  const mac = (await kms.send(new CreateKeyCommand({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" }))).KeyMetadata.KeyId;
  const asked = { KeyId: mac, Message: bytes("m"), MacAlgorithm: "HMAC_SHA_256" };
  const { Mac } = await kms.send(new GenerateMacCommand(asked));
  assert.equal((await kms.send(new VerifyMacCommand({ ...asked, Mac }))).MacValid, true);

  await kms.send(new CreateGrantCommand({ KeyId: KeyMetadata.KeyId, GranteePrincipal: "arn:aws:iam::000000000000:root", Operations: ["Decrypt"] }));
  assert.equal((await kms.send(new ListGrantsCommand({ KeyId: KeyMetadata.KeyId }))).Grants[0].Operations[0], "Decrypt");
  await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata.KeyId }));
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext })), DisabledException);
  const gone = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: KeyMetadata.KeyId, PendingWindowInDays: 7 }));
  assert.ok(gone.DeletionDate > new Date());
});
