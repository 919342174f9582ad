/* Managed policies that AWS made and that pipelines attach by name: facts of AWS's Managed Policy
 * Reference (name, path, version, dates, document). Sorted by name. A policy that is not here does
 * not exist for Weir: attaching it is refused. Ids are Weir's own; so are version and dates of
 * ReadOnlyAccess and of CloudFormation's two.
 *
 * Layer: svc. */
#include "svc/iam/iam_int.h"

const struct iam_aws_policy iam_aws_policies[] = {
    {.name = "AWSCloudFormationFullAccess",
     .path = "/",
     .id = "ANPACFNFULLACCESSWEIR",
     .version = "v1",
     .created_ms = 1423248006000,
     .updated_ms = 1573689600000,
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":["
                 "\"cloudformation:*\""
                 "],\"Resource\":\"*\"}]}"},
    {.name = "AWSCloudFormationReadOnlyAccess",
     .path = "/",
     .id = "ANPACFNREADONLYWEIR2A",
     .version = "v2",
     .created_ms = 1423248006000,
     .updated_ms = 1573689600000,
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":["
                 "\"cloudformation:Describe*\","
                 "\"cloudformation:EstimateTemplateCost\","
                 "\"cloudformation:Get*\","
                 "\"cloudformation:List*\","
                 "\"cloudformation:ValidateTemplate\","
                 "\"cloudformation:Detect*\""
                 "],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaBasicExecutionRole",
     .path = "/service-role/",
     .id = "ANPAHAXXUC7TTBZMW2DM2",
     .version = "v1",
     .created_ms = 1428591823000,
     .updated_ms = 1428591823000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\""
         "logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":\""
         "*\"}]}"},
    {.name = "AWSLambdaDynamoDBExecutionRole",
     .path = "/service-role/",
     .id = "ANPAJBKKFGALPR2TM2DNP",
     .version = "v1",
     .created_ms = 1428592169000,
     .updated_ms = 1428592169000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"dynamodb:DescribeStream\""
         ",\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\",\""
         "logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":\""
         "Allow\",\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaRole",
     .path = "/service-role/",
     .id = "ANPAGEW6VVARPS3BW6HCP",
     .version = "v1",
     .created_ms = 1423248088000,
     .updated_ms = 1423248088000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"lambda:InvokeFunction\"]"
         ",\"Effect\":\"Allow\",\"Resource\":[\"*\"]}]}"},
    {.name = "AWSLambdaSQSQueueExecutionRole",
     .path = "/service-role/",
     .id = "ANPAQAOZHLCZUTQDH7WCL",
     .version = "v1",
     .created_ms = 1529013045000,
     .updated_ms = 1529013045000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"sqs:ReceiveMessage\",\"s"
         "qs:DeleteMessage\",\"sqs:GetQueueAttributes\",\"logs:CreateLogGroup\",\"logs:Creat"
         "eLogStream\",\"logs:PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaVPCAccessExecutionRole",
     .path = "/service-role/",
     .id = "ANPAZGCLWDEMBV7KAGXIO",
     .version = "v3",
     .created_ms = 1455232526000,
     .updated_ms = 1704494306000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\""
         "logs:CreateLogStream\",\"logs:PutLogEvents\",\"ec2:CreateNetworkInterface\",\"ec2:"
         "DescribeNetworkInterfaces\",\"ec2:DescribeSubnets\",\"ec2:DeleteNetworkInterface\""
         ",\"ec2:AssignPrivateIpAddresses\",\"ec2:UnassignPrivateIpAddresses\"],\"Effect\":\""
         "Allow\",\"Resource\":\"*\",\"Sid\":\"AWSLambdaVPCAccessExecutionPermissions\"}]}"},
    {.name = "AWSLambda_FullAccess",
     .path = "/",
     .id = "ANPAW4V7L33VVEHJ6TDLZ",
     .version = "v7",
     .created_ms = 1605647648000,
     .updated_ms = 1770919251000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"cloudformation:DescribeS"
         "tacks\",\"cloudformation:ListStackResources\",\"cloudwatch:ListMetrics\",\"cloudwa"
         "tch:GetMetricData\",\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:D"
         "escribeVpcs\",\"kms:DescribeKey\",\"kms:ListAliases\",\"iam:GetPolicy\",\"iam:GetP"
         "olicyVersion\",\"iam:GetRole\",\"iam:GetRolePolicy\",\"iam:ListAttachedRolePolicie"
         "s\",\"iam:ListRolePolicies\",\"iam:ListRoles\",\"lambda:*\",\"logs:DescribeLogGrou"
         "ps\",\"states:DescribeStateMachine\",\"states:ListStateMachines\",\"tag:GetResourc"
         "es\",\"xray:GetTraceSummaries\",\"xray:BatchGetTraces\"],\"Effect\":\"Allow\",\"Re"
         "source\":\"*\"},{\"Action\":\"iam:PassRole\",\"Condition\":{\"StringEquals\":{\"ia"
         "m:PassedToService\":\"lambda.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\""
         "*\"},{\"Action\":[\"logs:DescribeLogStreams\",\"logs:GetLogEvents\",\"logs:FilterL"
         "ogEvents\",\"logs:StartLiveTail\",\"logs:StopLiveTail\"],\"Effect\":\"Allow\",\"Re"
         "source\":\"arn:aws:logs:*:*:log-group:/aws/lambda/*\"},{\"Action\":\"iam:CreateSer"
         "viceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":\"lambda."
         "amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/aws-serv"
         "ice-role/lambda.amazonaws.com/AWSServiceRoleForLambda\"}]}"},
    {.name = "AWSLambda_ReadOnlyAccess",
     .path = "/",
     .id = "ANPALVQL5A3ZR7XPFFGUE",
     .version = "v5",
     .created_ms = 1605647432000,
     .updated_ms = 1770919375000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"cloudformation:DescribeS"
         "tacks\",\"cloudformation:ListStacks\",\"cloudformation:ListStackResources\",\"clou"
         "dwatch:GetMetricData\",\"cloudwatch:ListMetrics\",\"ec2:DescribeSecurityGroups\",\""
         "ec2:DescribeSubnets\",\"ec2:DescribeVpcs\",\"kms:ListAliases\",\"iam:GetPolicy\",\""
         "iam:GetPolicyVersion\",\"iam:GetRole\",\"iam:GetRolePolicy\",\"iam:ListAttachedRol"
         "ePolicies\",\"iam:ListRolePolicies\",\"iam:ListRoles\",\"logs:DescribeLogGroups\","
         "\"lambda:Get*\",\"lambda:List*\",\"states:DescribeStateMachine\",\"states:ListStat"
         "eMachines\",\"tag:GetResources\",\"xray:GetTraceSummaries\",\"xray:BatchGetTraces\""
         "],\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"logs:DescribeLogStreams\""
         ",\"logs:GetLogEvents\",\"logs:FilterLogEvents\",\"logs:StartQuery\",\"logs:StopQue"
         "ry\",\"logs:DescribeQueries\",\"logs:GetLogGroupFields\",\"logs:GetLogRecord\",\"l"
         "ogs:GetQueryResults\",\"logs:StartLiveTail\",\"logs:StopLiveTail\"],\"Effect\":\"A"
         "llow\",\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/lambda/*\"}]}"},
    {.name = "AdministratorAccess",
     .path = "/",
     .id = "ANPA34SN6YCLNSZWWPS7E",
     .version = "v1",
     .created_ms = 1423247986000,
     .updated_ms = 1423247986000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\","
         "\"Resource\":\"*\"}]}"},
    {.name = "AmazonAPIGatewayPushToCloudWatchLogs",
     .path = "/service-role/",
     .id = "ANPAH7MWELPP6GSUZP6SV",
     .version = "v1",
     .created_ms = 1447285306000,
     .updated_ms = 1447285306000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\""
         "logs:CreateLogStream\",\"logs:DescribeLogGroups\",\"logs:DescribeLogStreams\",\"lo"
         "gs:PutLogEvents\",\"logs:GetLogEvents\",\"logs:FilterLogEvents\"],\"Effect\":\"All"
         "ow\",\"Resource\":\"*\"}]}"},
    {.name = "AmazonDynamoDBFullAccess",
     .path = "/",
     .id = "ANPALOXJENDTNEGME3T2U",
     .version = "v15",
     .created_ms = 1423248011000,
     .updated_ms = 1611941910000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"dynamodb:*\",\"dax:*\",\""
         "application-autoscaling:DeleteScalingPolicy\",\"application-autoscaling:Deregister"
         "ScalableTarget\",\"application-autoscaling:DescribeScalableTargets\",\"application"
         "-autoscaling:DescribeScalingActivities\",\"application-autoscaling:DescribeScaling"
         "Policies\",\"application-autoscaling:PutScalingPolicy\",\"application-autoscaling:"
         "RegisterScalableTarget\",\"cloudwatch:DeleteAlarms\",\"cloudwatch:DescribeAlarmHis"
         "tory\",\"cloudwatch:DescribeAlarms\",\"cloudwatch:DescribeAlarmsForMetric\",\"clou"
         "dwatch:GetMetricStatistics\",\"cloudwatch:ListMetrics\",\"cloudwatch:PutMetricAlar"
         "m\",\"cloudwatch:GetMetricData\",\"datapipeline:ActivatePipeline\",\"datapipeline:"
         "CreatePipeline\",\"datapipeline:DeletePipeline\",\"datapipeline:DescribeObjects\","
         "\"datapipeline:DescribePipelines\",\"datapipeline:GetPipelineDefinition\",\"datapi"
         "peline:ListPipelines\",\"datapipeline:PutPipelineDefinition\",\"datapipeline:Query"
         "Objects\",\"ec2:DescribeVpcs\",\"ec2:DescribeSubnets\",\"ec2:DescribeSecurityGroup"
         "s\",\"iam:GetRole\",\"iam:ListRoles\",\"kms:DescribeKey\",\"kms:ListAliases\",\"sn"
         "s:CreateTopic\",\"sns:DeleteTopic\",\"sns:ListSubscriptions\",\"sns:ListSubscripti"
         "onsByTopic\",\"sns:ListTopics\",\"sns:Subscribe\",\"sns:Unsubscribe\",\"sns:SetTop"
         "icAttributes\",\"lambda:CreateFunction\",\"lambda:ListFunctions\",\"lambda:ListEve"
         "ntSourceMappings\",\"lambda:CreateEventSourceMapping\",\"lambda:DeleteEventSourceM"
         "apping\",\"lambda:GetFunctionConfiguration\",\"lambda:DeleteFunction\",\"resource-"
         "groups:ListGroups\",\"resource-groups:ListGroupResources\",\"resource-groups:GetGr"
         "oup\",\"resource-groups:GetGroupQuery\",\"resource-groups:DeleteGroup\",\"resource"
         "-groups:CreateGroup\",\"tag:GetResources\",\"kinesis:ListStreams\",\"kinesis:Descr"
         "ibeStream\",\"kinesis:DescribeStreamSummary\"],\"Effect\":\"Allow\",\"Resource\":\""
         "*\"},{\"Action\":\"cloudwatch:GetInsightRuleReport\",\"Effect\":\"Allow\",\"Resour"
         "ce\":\"arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*\"},{\"Acti"
         "on\":[\"iam:PassRole\"],\"Condition\":{\"StringLike\":{\"iam:PassedToService\":[\""
         "application-autoscaling.amazonaws.com\",\"application-autoscaling.amazonaws.com.cn"
         "\",\"dax.amazonaws.com\"]}},\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":["
         "\"iam:CreateServiceLinkedRole\"],\"Condition\":{\"StringEquals\":{\"iam:AWSService"
         "Name\":[\"replication.dynamodb.amazonaws.com\",\"dax.amazonaws.com\",\"dynamodb.ap"
         "plication-autoscaling.amazonaws.com\",\"contributorinsights.dynamodb.amazonaws.com"
         "\",\"kinesisreplication.dynamodb.amazonaws.com\"]}},\"Effect\":\"Allow\",\"Resourc"
         "e\":\"*\"}]}"},
    {.name = "AmazonDynamoDBReadOnlyAccess",
     .path = "/",
     .id = "ANPAXAHTYIHS72UCN7XAT",
     .version = "v15",
     .created_ms = 1423248012000,
     .updated_ms = 1731951495000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"application-autoscaling:"
         "DescribeScalableTargets\",\"application-autoscaling:DescribeScalingActivities\",\""
         "application-autoscaling:DescribeScalingPolicies\",\"cloudwatch:DescribeAlarmHistor"
         "y\",\"cloudwatch:DescribeAlarms\",\"cloudwatch:DescribeAlarmsForMetric\",\"cloudwa"
         "tch:GetMetricStatistics\",\"cloudwatch:ListMetrics\",\"cloudwatch:GetMetricData\","
         "\"datapipeline:DescribeObjects\",\"datapipeline:DescribePipelines\",\"datapipeline"
         ":GetPipelineDefinition\",\"datapipeline:ListPipelines\",\"datapipeline:QueryObject"
         "s\",\"dynamodb:BatchGetItem\",\"dynamodb:Describe*\",\"dynamodb:List*\",\"dynamodb"
         ":GetAbacStatus\",\"dynamodb:GetItem\",\"dynamodb:GetResourcePolicy\",\"dynamodb:Qu"
         "ery\",\"dynamodb:Scan\",\"dynamodb:PartiQLSelect\",\"dax:Describe*\",\"dax:List*\""
         ",\"dax:GetItem\",\"dax:BatchGetItem\",\"dax:Query\",\"dax:Scan\",\"ec2:DescribeVpc"
         "s\",\"ec2:DescribeSubnets\",\"ec2:DescribeSecurityGroups\",\"iam:GetRole\",\"iam:L"
         "istRoles\",\"kms:DescribeKey\",\"kms:ListAliases\",\"sns:ListSubscriptionsByTopic\""
         ",\"sns:ListTopics\",\"lambda:ListFunctions\",\"lambda:ListEventSourceMappings\",\""
         "lambda:GetFunctionConfiguration\",\"resource-groups:ListGroups\",\"resource-groups"
         ":ListGroupResources\",\"resource-groups:GetGroup\",\"resource-groups:GetGroupQuery"
         "\",\"tag:GetResources\",\"kinesis:ListStreams\",\"kinesis:DescribeStream\",\"kines"
         "is:DescribeStreamSummary\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"Gene"
         "ralReadOnlyAccess\"},{\"Action\":\"cloudwatch:GetInsightRuleReport\",\"Effect\":\""
         "Allow\",\"Resource\":\"arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsi"
         "ghts*\",\"Sid\":\"CCIAccess\"}]}"},
    {.name = "AmazonEventBridgeFullAccess",
     .path = "/",
     .id = "ANPA43ET5KRFXHUI6WH3K",
     .version = "v7",
     .created_ms = 1562854135000,
     .updated_ms = 1770919105000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"events:*\",\"schemas:*\""
         ",\"scheduler:*\",\"pipes:*\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"Ev"
         "entBridgeActions\"},{\"Action\":\"iam:CreateServiceLinkedRole\",\"Condition\":{\"S"
         "tringEquals\":{\"iam:AWSServiceName\":\"apidestinations.events.amazonaws.com\"}},\""
         "Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/aws-service-role/apidestinat"
         "ions.events.amazonaws.com/AWSServiceRoleForAmazonEventBridgeApiDestinations\",\"Si"
         "d\":\"IAMCreateServiceLinkedRoleForApiDestinations\"},{\"Action\":\"iam:CreateServ"
         "iceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":\"schemas."
         "amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/aws-serv"
         "ice-role/schemas.amazonaws.com/AWSServiceRoleForSchemas\",\"Sid\":\"IAMCreateServi"
         "ceLinkedRoleForAmazonEventBridgeSchemas\"},{\"Action\":[\"secretsmanager:CreateSec"
         "ret\",\"secretsmanager:UpdateSecret\",\"secretsmanager:DeleteSecret\",\"secretsman"
         "ager:GetSecretValue\",\"secretsmanager:PutSecretValue\"],\"Effect\":\"Allow\",\"Re"
         "source\":\"arn:aws:secretsmanager:*:*:secret:events!*\",\"Sid\":\"SecretsManagerAc"
         "cessForApiDestinations\"},{\"Action\":\"iam:PassRole\",\"Condition\":{\"StringLike"
         "\":{\"iam:PassedToService\":\"events.amazonaws.com\"}},\"Effect\":\"Allow\",\"Reso"
         "urce\":\"arn:aws:iam::*:role/*\",\"Sid\":\"IAMPassRoleAccessForEventBridge\"},{\"A"
         "ction\":\"iam:PassRole\",\"Condition\":{\"StringLike\":{\"iam:PassedToService\":\""
         "scheduler.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:rol"
         "e/*\",\"Sid\":\"IAMPassRoleAccessForScheduler\"},{\"Action\":\"iam:PassRole\",\"Co"
         "ndition\":{\"StringLike\":{\"iam:PassedToService\":\"pipes.amazonaws.com\"}},\"Eff"
         "ect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/*\",\"Sid\":\"IAMPassRoleAccess"
         "ForPipes\"}]}"},
    {.name = "AmazonS3FullAccess",
     .path = "/",
     .id = "ANPAM4IUABDSGPXMCW4U2",
     .version = "v2",
     .created_ms = 1423248058000,
     .updated_ms = 1632773797000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"s3:*\",\"s3-object-lambd"
         "a:*\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"},
    {.name = "AmazonS3ReadOnlyAccess",
     .path = "/",
     .id = "ANPAYZAUAF34BQNVMLD6I",
     .version = "v3",
     .created_ms = 1423248059000,
     .updated_ms = 1691703099000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"s3:Get*\",\"s3:List*\",\""
         "s3:Describe*\",\"s3-object-lambda:Get*\",\"s3-object-lambda:List*\"],\"Effect\":\""
         "Allow\",\"Resource\":\"*\"}]}"},
    {.name = "AmazonSNSFullAccess",
     .path = "/",
     .id = "ANPAEHMMPN3MCXDG5KM4X",
     .version = "v2",
     .created_ms = 1423248065000,
     .updated_ms = 1727217125000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":\"sns:*\",\"Effect\":\"Allo"
         "w\",\"Resource\":\"*\",\"Sid\":\"SNSFullAccess\"},{\"Action\":[\"sms-voice:Describ"
         "eVerifiedDestinationNumbers\",\"sms-voice:CreateVerifiedDestinationNumber\",\"sms-"
         "voice:SendDestinationNumberVerificationCode\",\"sms-voice:SendTextMessage\",\"sms-"
         "voice:DeleteVerifiedDestinationNumber\",\"sms-voice:VerifyDestinationNumber\",\"sm"
         "s-voice:DescribeAccountAttributes\",\"sms-voice:DescribeSpendLimits\",\"sms-voice:"
         "DescribePhoneNumbers\",\"sms-voice:SetTextMessageSpendLimitOverride\",\"sms-voice:"
         "DescribeOptedOutNumbers\",\"sms-voice:DeleteOptedOutNumber\"],\"Condition\":{\"Str"
         "ingEquals\":{\"aws:CalledViaLast\":\"sns.amazonaws.com\"}},\"Effect\":\"Allow\",\""
         "Resource\":\"*\",\"Sid\":\"SMSAccessViaSNS\"}]}"},
    {.name = "AmazonSQSFullAccess",
     .path = "/",
     .id = "ANPA7TA2AGUVEINTMWDAI",
     .version = "v1",
     .created_ms = 1423248067000,
     .updated_ms = 1423248067000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"sqs:*\"],\"Effect\":\"Al"
         "low\",\"Resource\":\"*\"}]}"},
    {.name = "AmazonSQSReadOnlyAccess",
     .path = "/",
     .id = "ANPAJZSVB3IHYWGDQC73C",
     .version = "v4",
     .created_ms = 1423248068000,
     .updated_ms = 1716574604000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"sqs:GetQueueAttributes\""
         ",\"sqs:GetQueueUrl\",\"sqs:ListDeadLetterSourceQueues\",\"sqs:ListQueues\",\"sqs:L"
         "istMessageMoveTasks\",\"sqs:ListQueueTags\"],\"Effect\":\"Allow\",\"Resource\":\"*"
         "\",\"Sid\":\"AmazonSQSReadOnlyAccess\"}]}"},
    {.name = "CloudWatchFullAccess",
     .path = "/",
     .id = "ANPAVJ77TCHBJCUGMTB75",
     .version = "v4",
     .created_ms = 1423248000000,
     .updated_ms = 1669555429000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"autoscaling:Describe*\","
         "\"cloudwatch:*\",\"logs:*\",\"sns:*\",\"iam:GetPolicy\",\"iam:GetPolicyVersion\",\""
         "iam:GetRole\",\"oam:ListSinks\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Actio"
         "n\":\"iam:CreateServiceLinkedRole\",\"Condition\":{\"StringLike\":{\"iam:AWSServic"
         "eName\":\"events.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam"
         "::*:role/aws-service-role/events.amazonaws.com/AWSServiceRoleForCloudWatchEvents*\""
         "},{\"Action\":[\"oam:ListAttachedLinks\"],\"Effect\":\"Allow\",\"Resource\":\"arn:"
         "aws:oam:*:*:sink/*\"}]}"},
    {.name = "CloudWatchLogsFullAccess",
     .path = "/",
     .id = "ANPA52GJG75OTRLGUILQ3",
     .version = "v8",
     .created_ms = 1423248002000,
     .updated_ms = 1770919233000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:*\",\"cloudwatch:Ge"
         "nerateQuery\",\"cloudwatch:GenerateQueryResultsSummary\",\"observabilityadmin:GetS"
         "3TableIntegration\",\"observabilityadmin:ListS3TableIntegrations\",\"observability"
         "admin:ListTelemetryPipelines\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\""
         "CloudWatchLogsFullAccess\"}]}"},
    {.name = "CloudWatchLogsReadOnlyAccess",
     .path = "/",
     .id = "ANPAOHKWXZM5AJI35PZ5I",
     .version = "v12",
     .created_ms = 1423248003000,
     .updated_ms = 1770919153000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:Describe*\",\"logs:"
         "Get*\",\"logs:List*\",\"logs:StartQuery\",\"logs:StopQuery\",\"logs:TestMetricFilt"
         "er\",\"logs:FilterLogEvents\",\"logs:StartLiveTail\",\"logs:StopLiveTail\",\"cloud"
         "watch:GenerateQuery\",\"cloudwatch:GenerateQueryResultsSummary\",\"observabilityad"
         "min:ListS3TableIntegrations\",\"observabilityadmin:GetS3TableIntegration\",\"obser"
         "vabilityadmin:ListTelemetryPipelines\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\""
         "Sid\":\"CloudWatchLogsReadOnlyAccess\"}]}"},
    {.name = "CloudWatchReadOnlyAccess",
     .path = "/",
     .id = "ANPAOBSUSBJFHDGVX4NT4",
     .version = "v24",
     .created_ms = 1423248001000,
     .updated_ms = 1770919310000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"application-autoscaling:"
         "DescribeScalingPolicies\",\"application-signals:BatchGet*\",\"application-signals:"
         "Get*\",\"application-signals:List*\",\"autoscaling:Describe*\",\"cloudtrail:ListCh"
         "annels\",\"cloudwatch:BatchGet*\",\"cloudwatch:Describe*\",\"cloudwatch:GenerateQu"
         "ery\",\"cloudwatch:Get*\",\"cloudwatch:List*\",\"logs:Get*\",\"logs:List*\",\"logs"
         ":StartQuery\",\"logs:StopQuery\",\"logs:Describe*\",\"logs:TestMetricFilter\",\"lo"
         "gs:FilterLogEvents\",\"logs:StartLiveTail\",\"logs:StopLiveTail\",\"oam:ListSinks\""
         ",\"observabilityadmin:GetCentralizationRuleForOrganization\",\"observabilityadmin:"
         "ListCentralizationRulesForOrganization\",\"observabilityadmin:GetTelemetryEvaluati"
         "onStatus\",\"observabilityadmin:GetTelemetryEvaluationStatusForOrganization\",\"ob"
         "servabilityadmin:GetTelemetryRule\",\"observabilityadmin:GetTelemetryRuleForOrgani"
         "zation\",\"observabilityadmin:ListResourceTelemetry\",\"observabilityadmin:ListRes"
         "ourceTelemetryForOrganization\",\"observabilityadmin:ListTelemetryRules\",\"observ"
         "abilityadmin:ListTelemetryRulesForOrganization\",\"observabilityadmin:GetTelemetry"
         "EnrichmentStatus\",\"observabilityadmin:ListTagsForResource\",\"observabilityadmin"
         ":GetTelemetryPipeline\",\"observabilityadmin:ListTelemetryPipelines\",\"observabil"
         "ityadmin:TestTelemetryPipeline\",\"observabilityadmin:ValidateTelemetryPipelineCon"
         "figuration\",\"observabilityadmin:GetS3TableIntegration\",\"observabilityadmin:Lis"
         "tS3TableIntegrations\",\"sns:Get*\",\"sns:List*\",\"rum:BatchGet*\",\"rum:Get*\",\""
         "rum:List*\",\"synthetics:Describe*\",\"synthetics:Get*\",\"synthetics:List*\",\"xr"
         "ay:BatchGet*\",\"xray:Get*\",\"xray:List*\",\"xray:StartTraceRetrieval\",\"xray:Ca"
         "ncelTraceRetrieval\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"CloudWatch"
         "ReadOnlyAccessPermissions\"},{\"Action\":[\"oam:ListAttachedLinks\"],\"Effect\":\""
         "Allow\",\"Resource\":\"arn:aws:oam:*:*:sink/*\",\"Sid\":\"OAMReadPermissions\"},{\""
         "Action\":\"iam:GetRole\",\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/a"
         "ws-service-role/application-signals.cloudwatch.amazonaws.com/AWSServiceRoleForClou"
         "dWatchApplicationSignals\",\"Sid\":\"CloudWatchReadOnlyGetRolePermissions\"},{\"Ac"
         "tion\":[\"cloudtrail:GetChannel\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:clo"
         "udtrail:*:*:channel/aws-service-channel/application-signals/*\",\"Sid\":\"CloudWat"
         "chCloudTrailPermissions\"},{\"Action\":[\"servicequotas:GetServiceQuota\"],\"Effec"
         "t\":\"Allow\",\"Resource\":[\"arn:aws:servicequotas:*:*:s3/*\",\"arn:aws:servicequ"
         "otas:*:*:dynamodb/*\",\"arn:aws:servicequotas:*:*:kinesis/*\",\"arn:aws:servicequo"
         "tas:*:*:sns/*\",\"arn:aws:servicequotas:*:*:bedrock/*\",\"arn:aws:servicequotas:*:"
         "*:lambda/*\",\"arn:aws:servicequotas:*:*:fargate/*\",\"arn:aws:servicequotas:*:*:e"
         "lasticloadbalancing/*\",\"arn:aws:servicequotas:*:*:ec2/*\"],\"Sid\":\"CloudWatchS"
         "erviceQuotaPermissions\"},{\"Action\":[\"resource-explorer-2:ListIndexes\",\"resou"
         "rce-explorer-2:Search\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:resource-exp"
         "lorer-2:*::view/AWSServiceViewForApplicationSignals/service-view\",\"arn:aws:resou"
         "rce-explorer-2:*::view/AWSServiceViewForApplicationSignalsOrgScopeProd/service-vie"
         "w\"],\"Sid\":\"CloudWatchResourceExplorerPermissions\"}]}"},
    {.name = "IAMFullAccess",
     .path = "/",
     .id = "ANPATMJ5T63DJOLG2WPDQ",
     .version = "v2",
     .created_ms = 1423248038000,
     .updated_ms = 1561146000000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"iam:*\",\"organizations:"
         "DescribeAccount\",\"organizations:DescribeOrganization\",\"organizations:DescribeO"
         "rganizationalUnit\",\"organizations:DescribePolicy\",\"organizations:ListChildren\""
         ",\"organizations:ListParents\",\"organizations:ListPoliciesForTarget\",\"organizat"
         "ions:ListRoots\",\"organizations:ListPolicies\",\"organizations:ListTargetsForPoli"
         "cy\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"},
    {.name = "IAMReadOnlyAccess",
     .path = "/",
     .id = "ANPALX6RHJC5OXFALFNF6",
     .version = "v4",
     .created_ms = 1423248039000,
     .updated_ms = 1516907487000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"iam:GenerateCredentialRe"
         "port\",\"iam:GenerateServiceLastAccessedDetails\",\"iam:Get*\",\"iam:List*\",\"iam"
         ":SimulateCustomPolicy\",\"iam:SimulatePrincipalPolicy\"],\"Effect\":\"Allow\",\"Re"
         "source\":\"*\"}]}"},
    {.name = "PowerUserAccess",
     .path = "/",
     .id = "ANPALHG27PL3YBRYSN4HT",
     .version = "v12",
     .created_ms = 1423247987000,
     .updated_ms = 1770919154000,
     .document =
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"NotAction\":[\""
         "iam:*\",\"organizations:*\",\"account:*\"],\"Resource\":\"*\"},{\"Action\":[\"acco"
         "unt:GetAccountInformation\",\"account:GetGovCloudAccountInformation\",\"account:Ge"
         "tPrimaryEmail\",\"account:ListRegions\",\"iam:CreateServiceLinkedRole\",\"iam:Dele"
         "teServiceLinkedRole\",\"iam:ListRoles\",\"organizations:DescribeEffectivePolicy\","
         "\"organizations:DescribeOrganization\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"},
    /* Of the services that are here: AWS's own goes on for hundreds of others. */
    {.name = "ReadOnlyAccess",
     .path = "/",
     .id = "ANPAQ7WEIRREADONLY2XA",
     .version = "v1",
     .created_ms = 1423247988000,
     .updated_ms = 1423247988000,
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"apigateway:GET\",\"c"
                 "loudformation:Describe*\",\"cloudformation:Detect*\",\"cloudformation:Estimate"
                 "*\",\"cloudformation:Get*\",\"cloudformation:List*\",\"cloudformation:Validate"
                 "Template\",\"cloudwatch:Describe*\",\"cloudwatch:Get*\",\"cloudwatch:List*\","
                 "\"cognito-idp:AdminGet*\",\"cognito-idp:AdminList*\",\"cognito-idp:Describe*\""
                 ",\"cognito-idp:Get*\",\"cognito-idp:List*\",\"dynamodb:BatchGet*\",\"dynamodb:"
                 "Describe*\",\"dynamodb:Get*\",\"dynamodb:List*\",\"dynamodb:Query\",\"dynamodb"
                 ":Scan\",\"ecr:BatchCheck*\",\"ecr:BatchGet*\",\"ecr:Describe*\",\"ecr:Get*\","
                 "\"ecr:List*\",\"events:Describe*\",\"events:List*\",\"events:Test*\",\"iam:Gen"
                 "erate*\",\"iam:Get*\",\"iam:List*\",\"iam:Simulate*\",\"kms:Describe*\",\"kms:"
                 "Get*\",\"kms:List*\",\"lambda:Get*\",\"lambda:List*\",\"logs:Describe*\",\"log"
                 "s:FilterLogEvents\",\"logs:Get*\",\"logs:List*\",\"logs:TestMetricFilter\",\"s"
                 "3:Get*\",\"s3:List*\",\"scheduler:Get*\",\"scheduler:List*\",\"sns:Check*\",\""
                 "sns:Get*\",\"sns:List*\",\"sqs:Get*\",\"sqs:List*\",\"sqs:Receive*\",\"ssm:Des"
                 "cribe*\",\"ssm:Get*\",\"ssm:List*\",\"sts:GetAccessKeyInfo\",\"sts:GetCallerId"
                 "entity\",\"tag:Get*\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"},
};

const size_t iam_n_aws_policies = ARRAY_LEN(iam_aws_policies);
