// A stack with the constructs that people's CDK apps are made of. With the parameter Size=large it differs in one setting that
// is changed in place and one that takes a new resource: a parameter, so that a test need synthesize it but once.
import * as cdk from "aws-cdk-lib";
import * as apigateway from "aws-cdk-lib/aws-apigateway";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import * as actions from "aws-cdk-lib/aws-cloudwatch-actions";
import * as cognito from "aws-cdk-lib/aws-cognito";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as destinations from "aws-cdk-lib/aws-lambda-destinations";
import * as sources from "aws-cdk-lib/aws-lambda-event-sources";
import * as logs from "aws-cdk-lib/aws-logs";
import * as s3 from "aws-cdk-lib/aws-s3";
import * as sns from "aws-cdk-lib/aws-sns";
import * as subscriptions from "aws-cdk-lib/aws-sns-subscriptions";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const app = new cdk.App({ analyticsReporting: false, treeMetadata: false });
const stack = new cdk.Stack(app, "Shop", { env: { account: "000000000000", region: "us-east-1" } });
const removalPolicy = cdk.RemovalPolicy.DESTROY;
const size = new cdk.CfnParameter(stack, "Size", { default: "small", allowedValues: ["small", "large"] });
const large = new cdk.CfnCondition(stack, "IsLarge", { expression: cdk.Fn.conditionEquals(size, "large") });
const inLarge = (yes, no) => cdk.Fn.conditionIf(large.logicalId, yes, no);

const key = new kms.Key(stack, "Key", { enableKeyRotation: true, removalPolicy, pendingWindow: cdk.Duration.days(7) });
const table = new dynamodb.Table(stack, "Table", {
    partitionKey: { name: "id", type: dynamodb.AttributeType.STRING },
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
    encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
    encryptionKey: key,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    removalPolicy,
});
const bucket = new s3.Bucket(stack, "Bucket", {
    versioned: true,
    autoDeleteObjects: true,
    removalPolicy,
    encryption: s3.BucketEncryption.S3_MANAGED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
});
const topic = new sns.Topic(stack, "Topic", { masterKey: key });
const queue = new sqs.Queue(stack, "Queue"); // another kind of queue is another queue:
queue.node.defaultChild.addPropertyOverride("FifoQueue", inLarge(true, cdk.Aws.NO_VALUE));
const letters = new sqs.Queue(stack, "Letters", { retentionPeriod: cdk.Duration.days(14) });
topic.addSubscription(new subscriptions.SqsSubscription(letters));
topic.addSubscription(new subscriptions.EmailSubscription("ada@example.com"));
const bus = new events.EventBus(stack, "Bus");
bus.archive("Archive", { eventPattern: { source: ["lambda"] }, retention: cdk.Duration.days(14) });

const layer = new lambda.LayerVersion(stack, "Layer", {
    code: lambda.Code.fromAsset(`${here}/layer`),
    compatibleRuntimes: [lambda.Runtime.PROVIDED_AL2023],
    license: "MIT",
});
function work(name, more = {}) {
    const made = new lambda.Function(stack, name, {
        runtime: lambda.Runtime.PROVIDED_AL2023,
        handler: "bootstrap",
        code: lambda.Code.fromAsset(`${here}/code`),
        layers: [layer],
        environment: { TABLE: table.tableName, QUEUE: queue.queueUrl },
        logGroup: new logs.LogGroup(stack, `${name}Logs`, { retention: logs.RetentionDays.TWO_YEARS, removalPolicy }),
        ...more,
    });
    made.node.defaultChild.addPropertyOverride("MemorySize", inLarge(256, 128));
    return made;
}
const consumer = work("Consumer", { reservedConcurrentExecutions: 10, onFailure: new destinations.EventBridgeDestination(bus), retryAttempts: 0 });
consumer.addEventSource(new sources.DynamoEventSource(table, {
    startingPosition: lambda.StartingPosition.LATEST,
    batchSize: 1,
    retryAttempts: 0,
    maxRecordAge: cdk.Duration.hours(1),
    onFailure: new sources.SnsDlq(topic),
    filters: [lambda.FilterCriteria.filter({ eventName: lambda.FilterRule.isEqual("INSERT") })],
}));
table.grantReadWriteData(consumer);
bucket.grantWrite(consumer);
new events.Rule(stack, "Weekly", {
    schedule: events.Schedule.cron({ minute: "0", hour: "23", weekDay: "SUN" }),
    targets: [new targets.LambdaFunction(consumer)],
});
new cloudwatch.Alarm(stack, "Errors", {
    metric: consumer.metricErrors({ period: cdk.Duration.minutes(5) }),
    threshold: 1,
    evaluationPeriods: 1,
}).addAlarmAction(new actions.SnsAction(topic));

const pool = new cognito.UserPool(stack, "Pool", { signInAliases: { email: true }, selfSignUpEnabled: true, removalPolicy });
pool.addClient("Client", { authFlows: { userPassword: true, userSrp: true } });

const api = new apigateway.RestApi(stack, "Api", {
    cloudWatchRole: false,
    deployOptions: { throttlingRateLimit: 100, throttlingBurstLimit: 200 },
    defaultCorsPreflightOptions: { allowOrigins: apigateway.Cors.ALL_ORIGINS, allowMethods: ["POST"] },
});
const car = api.addModel("Car", {
    contentType: "application/json",
    schema: {
        schema: apigateway.JsonSchemaVersion.DRAFT4,
        type: apigateway.JsonSchemaType.OBJECT,
        properties: { make: { type: apigateway.JsonSchemaType.STRING, minLength: 1 } },
        required: ["make"],
    },
});
const handler = work("Handler");
api.root.addResource("cars").addMethod("POST", new apigateway.LambdaIntegration(handler), {
    requestModels: { "application/json": car },
    requestValidatorOptions: { validateRequestBody: true },
    authorizer: new apigateway.RequestAuthorizer(stack, "Authorizer", {
        handler,
        identitySources: [apigateway.IdentitySource.header("Authorization")],
        resultsCacheTtl: cdk.Duration.seconds(0),
    }),
});
const plan = api.addUsagePlan("Plan", { throttle: { rateLimit: 10, burstLimit: 20 } });
plan.addApiKey(api.addApiKey("ApiKey"));
plan.addApiStage({ stage: api.deploymentStage });
new apigateway.LambdaRestApi(stack, "Proxy", { handler, cloudWatchRole: false });

new cdk.CfnOutput(stack, "BucketName", { value: bucket.bucketName });
