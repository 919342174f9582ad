/* Managed policies that AWS made and that pipelines attach by name: facts of AWS's Managed Policy
 * Reference (name, path, version, dates, document). Sorted by name. A policy that is not here does
 * not exist for Weir: attaching it is refused. Ids are Weir's own; so are version and dates of
 * CloudFormation's two and of those that are in iam_aws_reduced.c.
 *
 * Layer: svc. */
#include "svc/iam/iam_int.h"

#define AWS_POLICY(name_, path_, id_, version_, created_, updated_, document_)                     \
    {                                                                                              \
        .name = (name_), .path = (path_), .id = (id_), .version = (version_),                      \
        .created_ms = (created_), .updated_ms = (updated_), .document = (document_)                \
    }

const struct iam_aws_policy iam_aws_policies[] = {
    AWS_POLICY(
        "APIGatewayServiceRolePolicy", "/aws-service-role/", "ANPA4R22HFFQJN4XWF63T", "v9",
        1508520190000, 1626128680000,
        "{\"Statement\":[{\"Action\":[\"elasticloadbalancing:AddListenerCertificates\","
        "\"elasticloadbalancing:RemoveListenerCertificates\",\"elasticloadbalancing:"
        "ModifyListener\",\"elasticloadbalancing:DescribeListeners\",\"elasticloadbalancing:"
        "DescribeLoadBalancers\",\"xray:PutTraceSegments\",\"xray:PutTelemetryRecords\",\"xray:"
        "GetSamplingTargets\",\"xray:GetSamplingRules\",\"logs:CreateLogDelivery\",\"logs:"
        "GetLogDelivery\",\"logs:UpdateLogDelivery\",\"logs:DeleteLogDelivery\",\"logs:"
        "ListLogDeliveries\",\"servicediscovery:DiscoverInstances\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"*\"]},{\"Action\":[\"firehose:DescribeDeliveryStream\",\"firehose:"
        "PutRecord\",\"firehose:PutRecordBatch\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
        "firehose:*:*:deliverystream/"
        "amazon-apigateway-*\"},{\"Action\":[\"acm:DescribeCertificate\",\"acm:GetCertificate\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:acm:*:*:certificate/"
        "*\"},{\"Action\":\"ec2:CreateNetworkInterfacePermission\",\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:ec2:*:*:network-interface/"
        "*\"},{\"Action\":\"ec2:CreateTags\",\"Condition\":{\"ForAllValues:StringEquals\":{\"aws:"
        "TagKeys\":[\"Owner\",\"VpcLinkId\"]}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:ec2:*:*:"
        "network-interface/"
        "*\"},{\"Action\":[\"ec2:ModifyNetworkInterfaceAttribute\",\"ec2:DeleteNetworkInterface\","
        "\"ec2:AssignPrivateIpAddresses\",\"ec2:CreateNetworkInterface\",\"ec2:"
        "DeleteNetworkInterfacePermission\",\"ec2:DescribeNetworkInterfaces\",\"ec2:"
        "DescribeAvailabilityZones\",\"ec2:DescribeNetworkInterfaceAttribute\",\"ec2:"
        "DescribeVpcs\",\"ec2:DescribeNetworkInterfacePermissions\",\"ec2:"
        "UnassignPrivateIpAddresses\",\"ec2:DescribeSubnets\",\"ec2:DescribeRouteTables\",\"ec2:"
        "DescribeSecurityGroups\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":"
        "\"servicediscovery:GetNamespace\",\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
        "servicediscovery:*:*:namespace/"
        "*\"},{\"Action\":\"servicediscovery:GetService\",\"Effect\":\"Allow\",\"Resource\":\"arn:"
        "aws:servicediscovery:*:*:service/*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSAppSyncInvokeFullAccess", "/", "ANPANATBBECMDPDHKKSOY", "v1", 1521580880000,
               1521580880000,
               "{\"Statement\":[{\"Action\":[\"appsync:GraphQL\",\"appsync:GetGraphqlApi\","
               "\"appsync:ListGraphqlApis\",\"appsync:ListApiKeys\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSAppSyncPushToCloudWatchLogs", "/service-role/", "ANPAHIZOMUQWTBTQBO6H2", "v1",
        1523302735000, 1523302735000,
        "{\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:"
        "PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSCertificateManagerReadOnly", "/", "ANPA75K4PREDB7KUWPTG4", "v5", 1453396053000,
               1774983442000,
               "{\"Statement\":{\"Action\":[\"acm:DescribeCertificate\",\"acm:ListCertificates\","
               "\"acm:SearchCertificates\",\"acm:GetCertificate\",\"acm:ListTagsForCertificate\","
               "\"acm:GetAccountConfiguration\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},"
               "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSCloudFormationFullAccess", "/", "ANPACFNFULLACCESSWEIR", "v1", 1423248006000,
               1573689600000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":["
               "\"cloudformation:*\"],\"Resource\":\"*\"}]}"),
    AWS_POLICY("AWSCloudFormationReadOnlyAccess", "/", "ANPACFNREADONLYWEIR2A", "v2", 1423248006000,
               1573689600000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":["
               "\"cloudformation:Describe*\",\"cloudformation:EstimateTemplateCost\","
               "\"cloudformation:Get*\",\"cloudformation:List*\",\"cloudformation:"
               "ValidateTemplate\",\"cloudformation:Detect*\"],\"Resource\":\"*\"}]}"),
    AWS_POLICY("AWSCloudTrail_ReadOnlyAccess", "/", "ANPA4EVT3LKYYM4JD2AJZ", "v1", 1655227145000,
               1655227145000,
               "{\"Statement\":[{\"Action\":[\"cloudtrail:Get*\",\"cloudtrail:Describe*\","
               "\"cloudtrail:List*\",\"cloudtrail:LookupEvents\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSCodeBuildDeveloperAccess", "/", "ANPA2CHRPI4XCWHING4AK", "v21", 1480618952000,
        1770919294000,
        "{\"Statement\":[{\"Action\":[\"codebuild:StartBuild\",\"codebuild:StopBuild\",\"codebuild:"
        "StartBuildBatch\",\"codebuild:StopBuildBatch\",\"codebuild:RetryBuild\",\"codebuild:"
        "RetryBuildBatch\",\"codebuild:BatchGet*\",\"codebuild:GetResourcePolicy\",\"codebuild:"
        "DescribeTestCases\",\"codebuild:DescribeCodeCoverages\",\"codebuild:List*\",\"codecommit:"
        "GetBranch\",\"codecommit:GetCommit\",\"codecommit:GetRepository\",\"codecommit:"
        "ListBranches\",\"cloudwatch:GetMetricStatistics\",\"events:DescribeRule\",\"events:"
        "ListTargetsByRule\",\"events:ListRuleNamesByTarget\",\"logs:GetLogEvents\",\"s3:"
        "GetBucketLocation\",\"s3:ListAllMyBuckets\"],\"Effect\":\"Allow\",\"Resource\":\"*\","
        "\"Sid\":\"AWSServicesAccess\"},{\"Action\":[\"ssm:PutParameter\"],\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:ssm:*:*:parameter/CodeBuild/"
        "*\",\"Sid\":\"SSMParameterWriteAccess\"},{\"Action\":[\"ssm:StartSession\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"arn:aws:ecs:*:*:task/*/"
        "*\",\"Sid\":\"SSMStartSessionAccess\"},{\"Action\":[\"ssmmessages:OpenDataChannel\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:ssm:*:*:session/"
        "*\",\"Sid\":\"SSMOpenDataChannelAccess\"},{\"Action\":[\"codestar-connections:"
        "ListConnections\",\"codestar-connections:GetConnection\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"arn:aws:codestar-connections:*:*:connection/"
        "*\",\"arn:aws:codeconnections:*:*:connection/"
        "*\"],\"Sid\":\"CodeStarConnectionsUserAccess\"},{\"Action\":[\"codestar-notifications:"
        "CreateNotificationRule\",\"codestar-notifications:DescribeNotificationRule\",\"codestar-"
        "notifications:UpdateNotificationRule\",\"codestar-notifications:Subscribe\",\"codestar-"
        "notifications:Unsubscribe\"],\"Condition\":{\"ArnLike\":{\"codestar-notifications:"
        "NotificationsForResource\":\"arn:aws:codebuild:*:*:project/"
        "*\"}},\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"CodeStarNotificationsReadWriteAccess\"},{\"Action\":[\"codestar-notifications:"
        "ListNotificationRules\",\"codestar-notifications:ListEventTypes\",\"codestar-"
        "notifications:ListTargets\",\"codestar-notifications:ListTagsforResource\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\",\"Sid\":\"CodeStarNotificationsListAccess\"},{\"Action\":["
        "\"sns:ListTopics\",\"sns:GetTopicAttributes\"],\"Effect\":\"Allow\",\"Resource\":\"*\","
        "\"Sid\":\"SNSTopicListAccess\"},{\"Action\":[\"chatbot:"
        "DescribeSlackChannelConfigurations\",\"chatbot:ListMicrosoftTeamsChannelConfigurations\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"CodeStarNotificationsChatbotAccess\"}],"
        "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSCodeDeployRoleForCloudFormation", "/service-role/", "ANPAQYFRLPJ3YOOLH35IQ", "v1",
        1589908372000, 1589908372000,
        "{\"Statement\":[{\"Action\":[\"lambda:InvokeFunction\"],\"Effect\":\"Allow\",\"Resource\":"
        "\"arn:aws:lambda:*:*:function:CodeDeployHook_*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSCodeDeployRoleForLambda", "/service-role/", "ANPANWQOXFSVZZZ32FLOX", "v3",
               1511877944000, 1575402790000,
               "{\"Statement\":[{\"Action\":[\"cloudwatch:DescribeAlarms\",\"lambda:UpdateAlias\","
               "\"lambda:GetAlias\",\"lambda:GetProvisionedConcurrencyConfig\",\"sns:Publish\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"s3:GetObject\",\"s3:"
               "GetObjectVersion\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:s3:::*/CodeDeploy/"
               "*\"},{\"Action\":[\"s3:GetObject\",\"s3:GetObjectVersion\"],\"Condition\":{"
               "\"StringEquals\":{\"s3:ExistingObjectTag/"
               "UseWithCodeDeploy\":\"true\"}},\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
               "\"Action\":[\"lambda:InvokeFunction\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
               "lambda:*:*:function:CodeDeployHook_*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSCodeDeployRoleForLambdaLimited", "/service-role/", "ANPA3ENUNKD6GMOW2QCXU", "v1",
               1597684454000, 1597684454000,
               "{\"Statement\":[{\"Action\":[\"cloudwatch:DescribeAlarms\",\"lambda:UpdateAlias\","
               "\"lambda:GetAlias\",\"lambda:GetProvisionedConcurrencyConfig\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"s3:GetObject\",\"s3:"
               "GetObjectVersion\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:s3:::*/CodeDeploy/"
               "*\"},{\"Action\":[\"s3:GetObject\",\"s3:GetObjectVersion\"],\"Condition\":{"
               "\"StringEquals\":{\"s3:ExistingObjectTag/"
               "UseWithCodeDeploy\":\"true\"}},\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
               "\"Action\":[\"lambda:InvokeFunction\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
               "lambda:*:*:function:CodeDeployHook_*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSGlueServiceRole", "/service-role/", "ANPAY6XZWH2LFCKABMNGU", "v5", 1502717841000,
        1694450387000,
        "{\"Statement\":[{\"Action\":[\"glue:*\",\"s3:GetBucketLocation\",\"s3:ListBucket\",\"s3:"
        "ListAllMyBuckets\",\"s3:GetBucketAcl\",\"ec2:DescribeVpcEndpoints\",\"ec2:"
        "DescribeRouteTables\",\"ec2:CreateNetworkInterface\",\"ec2:DeleteNetworkInterface\",\"ec2:"
        "DescribeNetworkInterfaces\",\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:"
        "DescribeVpcAttribute\",\"iam:ListRolePolicies\",\"iam:GetRole\",\"iam:GetRolePolicy\","
        "\"cloudwatch:PutMetricData\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"]},{\"Action\":["
        "\"s3:CreateBucket\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:s3:::aws-glue-*\"]},{"
        "\"Action\":[\"s3:GetObject\",\"s3:PutObject\",\"s3:DeleteObject\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"arn:aws:s3:::aws-glue-*/*\",\"arn:aws:s3:::*/*aws-glue-*/"
        "*\"]},{\"Action\":[\"s3:GetObject\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:s3:::"
        "crawler-public*\",\"arn:aws:s3:::aws-glue-*\"]},{\"Action\":[\"logs:CreateLogGroup\","
        "\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:"
        "aws:logs:*:*:*:/aws-glue/"
        "*\"]},{\"Action\":[\"ec2:CreateTags\",\"ec2:DeleteTags\"],\"Condition\":{\"ForAllValues:"
        "StringEquals\":{\"aws:TagKeys\":[\"aws-glue-service-resource\"]}},\"Effect\":\"Allow\","
        "\"Resource\":[\"arn:aws:ec2:*:*:network-interface/*\",\"arn:aws:ec2:*:*:security-group/"
        "*\",\"arn:aws:ec2:*:*:instance/*\"]}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSIoTDataAccess", "/", "ANPA3GYVRCITQHZC44UOO", "v3", 1445982678000, 1624484087000,
               "{\"Statement\":[{\"Action\":[\"iot:Connect\",\"iot:Publish\",\"iot:Subscribe\","
               "\"iot:Receive\",\"iot:GetThingShadow\",\"iot:UpdateThingShadow\",\"iot:"
               "DeleteThingShadow\",\"iot:ListNamedShadowsForThing\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSIoTFullAccess", "/", "ANPAABQEGULBPYYQPLIXW", "v2", 1444317589000, 1652996351000,
               "{\"Statement\":[{\"Action\":[\"iot:*\",\"iotjobsdata:*\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSIoTLogging", "/service-role/", "ANPA5LBGN7GZHHHJUF2FN", "v1", 1444317445000,
               1444317445000,
               "{\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
               "\"logs:PutLogEvents\",\"logs:PutMetricFilter\",\"logs:PutRetentionPolicy\",\"logs:"
               "GetLogEvents\",\"logs:DeleteLogStream\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"]}"
               "],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSIoTRuleActions", "/service-role/", "ANPASF67GNUCK7L35ZYQ6", "v2", 1444317291000,
               1516130899000,
               "{\"Statement\":{\"Action\":[\"dynamodb:PutItem\",\"kinesis:PutRecord\",\"iot:"
               "Publish\",\"s3:PutObject\",\"sns:Publish\",\"sqs:SendMessage*\",\"cloudwatch:"
               "SetAlarmState\",\"cloudwatch:PutMetricData\",\"es:ESHttpPut\",\"firehose:"
               "PutRecord\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSKeyManagementServicePowerUser", "/", "ANPALLBUVYHHPWNNEQ23A", "v2", 1423248040000,
        1488848111000,
        "{\"Statement\":[{\"Action\":[\"kms:CreateAlias\",\"kms:CreateKey\",\"kms:DeleteAlias\","
        "\"kms:Describe*\",\"kms:GenerateRandom\",\"kms:Get*\",\"kms:List*\",\"kms:TagResource\","
        "\"kms:UntagResource\",\"iam:ListGroups\",\"iam:ListRoles\",\"iam:ListUsers\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSLambdaBasicExecutionRole", "/service-role/", "ANPAHAXXUC7TTBZMW2DM2", "v1",
        1428591823000, 1428591823000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\"logs:"
        "CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY("AWSLambdaDynamoDBExecutionRole", "/service-role/", "ANPAJBKKFGALPR2TM2DNP", "v1",
               1428592169000, 1428592169000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"dynamodb:"
               "DescribeStream\",\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\",\"dynamodb:"
               "ListStreams\",\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:"
               "PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY("AWSLambdaENIManagementAccess", "/service-role/", "ANPALRBUENG3JP5FHKVB7", "v2",
               1480984647000, 1601582846000,
               "{\"Statement\":[{\"Action\":[\"ec2:CreateNetworkInterface\",\"ec2:"
               "DescribeNetworkInterfaces\",\"ec2:DeleteNetworkInterface\",\"ec2:"
               "AssignPrivateIpAddresses\",\"ec2:UnassignPrivateIpAddresses\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSLambdaExecute", "/", "ANPA4D35DSFCAXYIR54OW", "v1", 1423248046000, 1423248046000,
               "{\"Statement\":[{\"Action\":[\"logs:*\"],\"Effect\":\"Allow\",\"Resource\":\"arn:"
               "aws:logs:*:*:*\"},{\"Action\":[\"s3:GetObject\",\"s3:PutObject\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"arn:aws:s3:::*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSLambdaInvocation-DynamoDB", "/", "ANPA5IO36OPXULVANAWUW", "v1", 1423248047000,
               1423248047000,
               "{\"Statement\":[{\"Action\":[\"lambda:InvokeFunction\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"},{\"Action\":[\"dynamodb:DescribeStream\",\"dynamodb:"
               "GetRecords\",\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSLambdaKinesisExecutionRole", "/service-role/", "ANPAZ42JR3FYWBMMKZLN7", "v2",
               1428592456000, 1542658164000,
               "{\"Statement\":[{\"Action\":[\"kinesis:DescribeStream\",\"kinesis:"
               "DescribeStreamSummary\",\"kinesis:GetRecords\",\"kinesis:GetShardIterator\","
               "\"kinesis:ListShards\",\"kinesis:ListStreams\",\"kinesis:SubscribeToShard\",\"logs:"
               "CreateLogGroup\",\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSLambdaMSKExecutionRole", "/service-role/", "ANPATHLVXHL66AS3TYOEO", "v2",
               1597167305000, 1659470882000,
               "{\"Statement\":[{\"Action\":[\"kafka:DescribeCluster\",\"kafka:DescribeClusterV2\","
               "\"kafka:GetBootstrapBrokers\",\"ec2:CreateNetworkInterface\",\"ec2:"
               "DescribeNetworkInterfaces\",\"ec2:DescribeVpcs\",\"ec2:DeleteNetworkInterface\","
               "\"ec2:DescribeSubnets\",\"ec2:DescribeSecurityGroups\",\"logs:CreateLogGroup\","
               "\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":"
               "\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSLambdaRole", "/service-role/", "ANPAGEW6VVARPS3BW6HCP", "v1", 1423248088000,
               1423248088000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"lambda:InvokeFunction\"],"
               "\"Effect\":\"Allow\",\"Resource\":[\"*\"]}]}"),
    AWS_POLICY(
        "AWSLambdaSQSQueueExecutionRole", "/service-role/", "ANPAQAOZHLCZUTQDH7WCL", "v1",
        1529013045000, 1529013045000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"sqs:ReceiveMessage\",\"sqs:"
        "DeleteMessage\",\"sqs:GetQueueAttributes\",\"logs:CreateLogGroup\",\"logs:"
        "CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY(
        "AWSLambdaVPCAccessExecutionRole", "/service-role/", "ANPAZGCLWDEMBV7KAGXIO", "v3",
        1455232526000, 1704494306000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\"logs:"
        "CreateLogStream\",\"logs:PutLogEvents\",\"ec2:CreateNetworkInterface\",\"ec2:"
        "DescribeNetworkInterfaces\",\"ec2:DescribeSubnets\",\"ec2:DeleteNetworkInterface\",\"ec2:"
        "AssignPrivateIpAddresses\",\"ec2:UnassignPrivateIpAddresses\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\",\"Sid\":\"AWSLambdaVPCAccessExecutionPermissions\"}]}"),
    AWS_POLICY(
        "AWSLambda_FullAccess", "/", "ANPAW4V7L33VVEHJ6TDLZ", "v7", 1605647648000, 1770919251000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"cloudformation:DescribeStacks\","
        "\"cloudformation:ListStackResources\",\"cloudwatch:ListMetrics\",\"cloudwatch:"
        "GetMetricData\",\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:"
        "DescribeVpcs\",\"kms:DescribeKey\",\"kms:ListAliases\",\"iam:GetPolicy\",\"iam:"
        "GetPolicyVersion\",\"iam:GetRole\",\"iam:GetRolePolicy\",\"iam:ListAttachedRolePolicies\","
        "\"iam:ListRolePolicies\",\"iam:ListRoles\",\"lambda:*\",\"logs:DescribeLogGroups\","
        "\"states:DescribeStateMachine\",\"states:ListStateMachines\",\"tag:GetResources\",\"xray:"
        "GetTraceSummaries\",\"xray:BatchGetTraces\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
        "\"Action\":\"iam:PassRole\",\"Condition\":{\"StringEquals\":{\"iam:PassedToService\":"
        "\"lambda.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"logs:"
        "DescribeLogStreams\",\"logs:GetLogEvents\",\"logs:FilterLogEvents\",\"logs:"
        "StartLiveTail\",\"logs:StopLiveTail\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:logs:*:"
        "*:log-group:/aws/lambda/"
        "*\"},{\"Action\":\"iam:CreateServiceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:"
        "AWSServiceName\":\"lambda.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
        "iam::*:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda\"}]}"),
    AWS_POLICY(
        "AWSLambda_ReadOnlyAccess", "/", "ANPALVQL5A3ZR7XPFFGUE", "v5", 1605647432000,
        1770919375000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"cloudformation:DescribeStacks\","
        "\"cloudformation:ListStacks\",\"cloudformation:ListStackResources\",\"cloudwatch:"
        "GetMetricData\",\"cloudwatch:ListMetrics\",\"ec2:DescribeSecurityGroups\",\"ec2:"
        "DescribeSubnets\",\"ec2:DescribeVpcs\",\"kms:ListAliases\",\"iam:GetPolicy\",\"iam:"
        "GetPolicyVersion\",\"iam:GetRole\",\"iam:GetRolePolicy\",\"iam:ListAttachedRolePolicies\","
        "\"iam:ListRolePolicies\",\"iam:ListRoles\",\"logs:DescribeLogGroups\",\"lambda:Get*\","
        "\"lambda:List*\",\"states:DescribeStateMachine\",\"states:ListStateMachines\",\"tag:"
        "GetResources\",\"xray:GetTraceSummaries\",\"xray:BatchGetTraces\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\"},{\"Action\":[\"logs:DescribeLogStreams\",\"logs:GetLogEvents\",\"logs:"
        "FilterLogEvents\",\"logs:StartQuery\",\"logs:StopQuery\",\"logs:DescribeQueries\",\"logs:"
        "GetLogGroupFields\",\"logs:GetLogRecord\",\"logs:GetQueryResults\",\"logs:StartLiveTail\","
        "\"logs:StopLiveTail\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:logs:*:*:log-group:/"
        "aws/lambda/*\"}]}"),
    AWS_POLICY("AWSOrganizationsReadOnlyAccess", "/", "ANPAGXSISWIAH7LDDT3OB", "v6", 1541536358000,
               1717795936000,
               "{\"Statement\":[{\"Action\":[\"organizations:Describe*\",\"organizations:List*\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"AWSOrganizationsReadOnly\"},{"
               "\"Action\":[\"account:GetAlternateContact\",\"account:GetContactInformation\","
               "\"account:ListRegions\",\"account:GetRegionOptStatus\",\"account:GetPrimaryEmail\"]"
               ",\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
               "\"AWSOrganizationsReadOnlyAccount\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSStepFunctionsFullAccess", "/", "ANPA2BIU2ZRNVLS5T5NZ7", "v1", 1484171492000,
               1484171492000,
               "{\"Statement\":[{\"Action\":\"states:*\",\"Effect\":\"Allow\",\"Resource\":\"*\"}],"
               "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSStepFunctionsReadOnlyAccess", "/", "ANPAEAA7K47IBPWXOLRNE", "v4", 1484171179000,
        1714157634000,
        "{\"Statement\":[{\"Action\":[\"states:ListStateMachines\",\"states:ListActivities\","
        "\"states:DescribeStateMachine\",\"states:DescribeStateMachineForExecution\",\"states:"
        "ListExecutions\",\"states:DescribeExecution\",\"states:GetExecutionHistory\",\"states:"
        "DescribeActivity\",\"states:ListTagsForResource\",\"states:DescribeMapRun\",\"states:"
        "ListMapRuns\",\"states:DescribeStateMachineAlias\",\"states:ListStateMachineAliases\","
        "\"states:ListStateMachineVersions\",\"states:ValidateStateMachineDefinition\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\",\"Sid\":\"ReadOnlyAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSSupportAccess", "/", "ANPANGHRVC54T7WSHCM2D", "v4", 1423248071000, 1770919171000,
               "{\"Statement\":[{\"Action\":[\"support:*\",\"support-console:*\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSXRayDaemonWriteAccess", "/", "ANPAWDG4A54J4KGUTPTW7", "v2", 1535497233000,
               1707861510000,
               "{\"Statement\":[{\"Action\":[\"xray:PutTraceSegments\",\"xray:"
               "PutTelemetryRecords\",\"xray:GetSamplingRules\",\"xray:GetSamplingTargets\",\"xray:"
               "GetSamplingStatisticSummaries\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"],\"Sid\":"
               "\"AWSXRayDaemonWriteAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSXrayFullAccess", "/", "ANPAKE4PAE746MBLYC6EX", "v2", 1480617055000,
               1712855256000,
               "{\"Statement\":[{\"Action\":[\"xray:*\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"],"
               "\"Sid\":\"AWSXrayFullAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AWSXrayReadOnlyAccess", "/", "ANPAAJWR3QNNDFORFPZBO", "v8", 1480616822000, 1707870902000,
        "{\"Statement\":[{\"Action\":[\"xray:GetSamplingRules\",\"xray:GetSamplingTargets\",\"xray:"
        "GetSamplingStatisticSummaries\",\"xray:BatchGetTraces\",\"xray:BatchGetTraceSummaryById\","
        "\"xray:GetDistinctTraceGraphs\",\"xray:GetServiceGraph\",\"xray:GetTraceGraph\",\"xray:"
        "GetTraceSummaries\",\"xray:GetGroups\",\"xray:GetGroup\",\"xray:ListTagsForResource\","
        "\"xray:ListResourcePolicies\",\"xray:GetTimeSeriesServiceStatistics\",\"xray:"
        "GetInsightSummaries\",\"xray:GetInsight\",\"xray:GetInsightEvents\",\"xray:"
        "GetInsightImpactGraph\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"],\"Sid\":"
        "\"AWSXrayReadOnlyAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AWSXrayWriteOnlyAccess", "/", "ANPAVKPUECO4X3ZSNENH2", "v2", 1480616393000,
               1535497384000,
               "{\"Statement\":[{\"Action\":[\"xray:PutTraceSegments\",\"xray:"
               "PutTelemetryRecords\",\"xray:GetSamplingRules\",\"xray:GetSamplingTargets\",\"xray:"
               "GetSamplingStatisticSummaries\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"]}],"
               "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AdministratorAccess", "/", "ANPA34SN6YCLNSZWWPS7E", "v1", 1423247986000,
               1423247986000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\","
               "\"Resource\":\"*\"}]}"),
    AWS_POLICY("AmazonAPIGatewayAdministrator", "/", "ANPAJ3WLKGNZZK3KLA3VA", "v1", 1436463285000,
               1436463285000,
               "{\"Statement\":[{\"Action\":[\"apigateway:*\"],\"Effect\":\"Allow\",\"Resource\":"
               "\"arn:aws:apigateway:*::/*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonAPIGatewayInvokeFullAccess", "/", "ANPAJOOB5XJOJGOEJMIAK", "v2",
               1436463372000, 1545157510000,
               "{\"Statement\":[{\"Action\":[\"execute-api:Invoke\",\"execute-api:"
               "ManageConnections\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:execute-api:*:*:*"
               "\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonAPIGatewayPushToCloudWatchLogs", "/service-role/", "ANPAH7MWELPP6GSUZP6SV",
               "v1", 1447285306000, 1447285306000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\","
               "\"logs:CreateLogStream\",\"logs:DescribeLogGroups\",\"logs:DescribeLogStreams\","
               "\"logs:PutLogEvents\",\"logs:GetLogEvents\",\"logs:FilterLogEvents\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY(
        "AmazonAthenaFullAccess", "/", "ANPAFNLY2AOD5VBNNQKPV", "v15", 1480524361000, 1770919389000,
        "{\"Statement\":[{\"Action\":[\"athena:*\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"],"
        "\"Sid\":\"BaseAthenaPermissions\"},{\"Action\":[\"glue:CreateDatabase\",\"glue:"
        "DeleteDatabase\",\"glue:GetCatalog\",\"glue:GetCatalogs\",\"glue:GetDatabase\",\"glue:"
        "GetDatabases\",\"glue:UpdateDatabase\",\"glue:CreateTable\",\"glue:DeleteTable\",\"glue:"
        "BatchDeleteTable\",\"glue:UpdateTable\",\"glue:GetTable\",\"glue:GetTables\",\"glue:"
        "BatchCreatePartition\",\"glue:CreatePartition\",\"glue:DeletePartition\",\"glue:"
        "BatchDeletePartition\",\"glue:UpdatePartition\",\"glue:GetPartition\",\"glue:"
        "GetPartitions\",\"glue:BatchGetPartition\",\"glue:StartColumnStatisticsTaskRun\",\"glue:"
        "GetColumnStatisticsTaskRun\",\"glue:GetColumnStatisticsTaskRuns\",\"glue:"
        "GetCatalogImportStatus\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"],\"Sid\":"
        "\"BaseGluePermissions\"},{\"Action\":[\"s3:GetBucketLocation\",\"s3:GetObject\",\"s3:"
        "ListBucket\",\"s3:ListBucketMultipartUploads\",\"s3:ListMultipartUploadParts\",\"s3:"
        "AbortMultipartUpload\",\"s3:CreateBucket\",\"s3:PutObject\",\"s3:"
        "PutBucketPublicAccessBlock\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:s3:::aws-"
        "athena-query-results-*\"],\"Sid\":\"BaseQueryResultsPermissions\"},{\"Action\":[\"s3:"
        "GetObject\",\"s3:ListBucket\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:s3:::athena-"
        "examples*\"],\"Sid\":\"BaseAthenaExamplesPermissions\"},{\"Action\":[\"s3:ListBucket\","
        "\"s3:GetBucketLocation\",\"s3:ListAllMyBuckets\"],\"Effect\":\"Allow\",\"Resource\":[\"*"
        "\"],\"Sid\":\"BaseS3BucketPermissions\"},{\"Action\":[\"sns:ListTopics\",\"sns:"
        "GetTopicAttributes\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"],\"Sid\":"
        "\"BaseSNSPermissions\"},{\"Action\":[\"cloudwatch:PutMetricAlarm\",\"cloudwatch:"
        "DescribeAlarms\",\"cloudwatch:DeleteAlarms\",\"cloudwatch:GetMetricData\"],\"Effect\":"
        "\"Allow\",\"Resource\":[\"*\"],\"Sid\":\"BaseCloudWatchPermissions\"},{\"Action\":["
        "\"lakeformation:GetDataAccess\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"],\"Sid\":"
        "\"BaseLakeFormationPermissions\"},{\"Action\":[\"datazone:ListDomains\",\"datazone:"
        "ListProjects\",\"datazone:ListAccountEnvironments\"],\"Effect\":\"Allow\",\"Resource\":["
        "\"*\"],\"Sid\":\"BaseDataZonePermissions\"},{\"Action\":[\"pricing:GetProducts\"],"
        "\"Effect\":\"Allow\",\"Resource\":[\"*\"],\"Sid\":\"BasePricingPermissions\"}],"
        "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonBedrockReadOnly", "/", "ANPA53AQQNOYTB6ER6HPY", "v7", 1701877699000, 1770919075000,
        "{\"Statement\":[{\"Action\":[\"bedrock:Get*\",\"bedrock:List*\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\",\"Sid\":\"AmazonBedrockReadOnly\"},{\"Action\":[\"sagemaker:"
        "DescribeEndpoint\",\"sagemaker:DescribeEndpointConfig\",\"sagemaker:DescribeModel\","
        "\"sagemaker:DescribeInferenceComponent\",\"sagemaker:ListEndpoints\",\"sagemaker:"
        "ListTags\"],\"Condition\":{\"StringEquals\":{\"aws:CalledViaLast\":\"bedrock.amazonaws."
        "com\"}},\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:sagemaker:*:*:endpoint/"
        "*\",\"arn:aws:sagemaker:*:*:endpoint-config/*\",\"arn:aws:sagemaker:*:*:model/"
        "*\"],\"Sid\":\"MarketplaceModelEndpointNonMutatingAPIs\"},{\"Action\":[\"sagemaker:"
        "DescribeHubContent\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:sagemaker:*:aws:hub-"
        "content/SageMakerPublicHub/Model/*\",\"arn:aws:sagemaker:*:aws:hub/"
        "SageMakerPublicHub\"],\"Sid\":\"DiscoveringMarketplaceModel\"},{\"Action\":[\"sagemaker:"
        "ListHubContents\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:sagemaker:*:aws:hub/"
        "SageMakerPublicHub\",\"Sid\":\"AllowMarketplaceModelsListing\"}],\"Version\":\"2012-10-"
        "17\"}"),
    AWS_POLICY(
        "AmazonCognitoDeveloperAuthenticatedIdentities", "/", "ANPA72DW7JNYHW7ZN4PEQ", "v1",
        1427217743000, 1427217743000,
        "{\"Statement\":[{\"Action\":[\"cognito-identity:GetOpenIdTokenForDeveloperIdentity\","
        "\"cognito-identity:LookupDeveloperIdentity\",\"cognito-identity:"
        "MergeDeveloperIdentities\",\"cognito-identity:UnlinkDeveloperIdentity\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonCognitoPowerUser", "/", "ANPAJOVM4V5KR3FKO3LH7", "v9", 1427217296000, 1770919209000,
        "{\"Statement\":[{\"Action\":[\"cognito-identity:*\",\"cognito-idp:*\",\"cognito-sync:*\","
        "\"iam:ListRoles\",\"iam:ListOpenIdConnectProviders\",\"iam:GetRole\",\"iam:"
        "ListSAMLProviders\",\"iam:GetSAMLProvider\",\"kinesis:ListStreams\",\"lambda:GetPolicy\","
        "\"lambda:ListFunctions\",\"sns:GetSMSSandboxAccountStatus\",\"sns:"
        "ListPlatformApplications\",\"ses:ListIdentities\",\"ses:"
        "GetIdentityVerificationAttributes\",\"mobiletargeting:GetApps\",\"acm:ListCertificates\","
        "\"sms-voice:DescribeAccountAttributes\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
        "\"Action\":\"iam:CreateServiceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:"
        "AWSServiceName\":[\"cognito-idp.amazonaws.com\",\"email.cognito-idp.amazonaws.com\"]}},"
        "\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"iam:DeleteServiceLinkedRole\","
        "\"iam:GetServiceLinkedRoleDeletionStatus\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:"
        "iam::*:role/aws-service-role/cognito-idp.amazonaws.com/"
        "AWSServiceRoleForAmazonCognitoIdp*\",\"arn:aws:iam::*:role/aws-service-role/"
        "email.cognito-idp.amazonaws.com/"
        "AWSServiceRoleForAmazonCognitoIdpEmail*\"]}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonCognitoReadOnly", "/", "ANPAGJHPRNHT4FYLVEZKP", "v4", 1427216806000,
               1564687264000,
               "{\"Statement\":[{\"Action\":[\"cognito-identity:Describe*\",\"cognito-identity:Get*"
               "\",\"cognito-identity:List*\",\"cognito-idp:Describe*\",\"cognito-idp:AdminGet*\","
               "\"cognito-idp:AdminList*\",\"cognito-idp:List*\",\"cognito-idp:Get*\",\"cognito-"
               "sync:Describe*\",\"cognito-sync:Get*\",\"cognito-sync:List*\",\"iam:"
               "ListOpenIdConnectProviders\",\"iam:ListRoles\",\"sns:ListPlatformApplications\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonDynamoDBFullAccess", "/", "ANPALOXJENDTNEGME3T2U", "v15", 1423248011000,
        1611941910000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"dynamodb:*\",\"dax:*\","
        "\"application-autoscaling:DeleteScalingPolicy\",\"application-autoscaling:"
        "DeregisterScalableTarget\",\"application-autoscaling:DescribeScalableTargets\","
        "\"application-autoscaling:DescribeScalingActivities\",\"application-autoscaling:"
        "DescribeScalingPolicies\",\"application-autoscaling:PutScalingPolicy\",\"application-"
        "autoscaling:RegisterScalableTarget\",\"cloudwatch:DeleteAlarms\",\"cloudwatch:"
        "DescribeAlarmHistory\",\"cloudwatch:DescribeAlarms\",\"cloudwatch:"
        "DescribeAlarmsForMetric\",\"cloudwatch:GetMetricStatistics\",\"cloudwatch:ListMetrics\","
        "\"cloudwatch:PutMetricAlarm\",\"cloudwatch:GetMetricData\",\"datapipeline:"
        "ActivatePipeline\",\"datapipeline:CreatePipeline\",\"datapipeline:DeletePipeline\","
        "\"datapipeline:DescribeObjects\",\"datapipeline:DescribePipelines\",\"datapipeline:"
        "GetPipelineDefinition\",\"datapipeline:ListPipelines\",\"datapipeline:"
        "PutPipelineDefinition\",\"datapipeline:QueryObjects\",\"ec2:DescribeVpcs\",\"ec2:"
        "DescribeSubnets\",\"ec2:DescribeSecurityGroups\",\"iam:GetRole\",\"iam:ListRoles\",\"kms:"
        "DescribeKey\",\"kms:ListAliases\",\"sns:CreateTopic\",\"sns:DeleteTopic\",\"sns:"
        "ListSubscriptions\",\"sns:ListSubscriptionsByTopic\",\"sns:ListTopics\",\"sns:Subscribe\","
        "\"sns:Unsubscribe\",\"sns:SetTopicAttributes\",\"lambda:CreateFunction\",\"lambda:"
        "ListFunctions\",\"lambda:ListEventSourceMappings\",\"lambda:CreateEventSourceMapping\","
        "\"lambda:DeleteEventSourceMapping\",\"lambda:GetFunctionConfiguration\",\"lambda:"
        "DeleteFunction\",\"resource-groups:ListGroups\",\"resource-groups:ListGroupResources\","
        "\"resource-groups:GetGroup\",\"resource-groups:GetGroupQuery\",\"resource-groups:"
        "DeleteGroup\",\"resource-groups:CreateGroup\",\"tag:GetResources\",\"kinesis:"
        "ListStreams\",\"kinesis:DescribeStream\",\"kinesis:DescribeStreamSummary\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"},{\"Action\":\"cloudwatch:GetInsightRuleReport\",\"Effect\":"
        "\"Allow\",\"Resource\":\"arn:aws:cloudwatch:*:*:insight-rule/"
        "DynamoDBContributorInsights*\"},{\"Action\":[\"iam:PassRole\"],\"Condition\":{"
        "\"StringLike\":{\"iam:PassedToService\":[\"application-autoscaling.amazonaws.com\","
        "\"application-autoscaling.amazonaws.com.cn\",\"dax.amazonaws.com\"]}},\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"iam:CreateServiceLinkedRole\"],\"Condition\":"
        "{\"StringEquals\":{\"iam:AWSServiceName\":[\"replication.dynamodb.amazonaws.com\",\"dax."
        "amazonaws.com\",\"dynamodb.application-autoscaling.amazonaws.com\",\"contributorinsights."
        "dynamodb.amazonaws.com\",\"kinesisreplication.dynamodb.amazonaws.com\"]}},\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY(
        "AmazonDynamoDBFullAccess_v2", "/", "ANPAOH3XRQVBEW2EZS7Q4", "v3", 1747925526000,
        1770919377000,
        "{\"Statement\":[{\"Action\":[\"dynamodb:*\",\"dax:*\"],\"Effect\":\"Allow\",\"Resource\":"
        "\"*\",\"Sid\":\"DDBAndDAXFullAccess\"},{\"Action\":[\"kms:DescribeKey\",\"kms:"
        "ListAliases\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"KMSIntegration\"},{"
        "\"Action\":[\"lambda:ListEventSourceMappings\",\"lambda:ListFunctions\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\",\"Sid\":\"LambdaIntegration\"},{\"Action\":[\"sns:"
        "ListTopics\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"DaxSNSIntegration\"},{"
        "\"Action\":[\"application-autoscaling:DeleteScalingPolicy\",\"application-autoscaling:"
        "DeregisterScalableTarget\",\"application-autoscaling:PutScalingPolicy\",\"application-"
        "autoscaling:RegisterScalableTarget\"],\"Condition\":{\"StringEquals\":{\"application-"
        "autoscaling:service-namespace\":\"dynamodb\"}},\"Effect\":\"Allow\",\"Resource\":\"*\","
        "\"Sid\":\"ApplicationAutoscalingIntegration\"},{\"Action\":[\"application-autoscaling:"
        "DescribeScalableTargets\",\"application-autoscaling:DescribeScalingActivities\","
        "\"application-autoscaling:DescribeScalingPolicies\"],\"Effect\":\"Allow\",\"Resource\":\"*"
        "\",\"Sid\":\"ApplicationAutoscalingDescribeActions\"},{\"Action\":[\"tag:GetResources\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"TagManagement\"},{\"Action\":["
        "\"cloudwatch:DescribeAlarms\",\"cloudwatch:GetMetricStatistics\",\"cloudwatch:"
        "GetMetricData\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"CloudwatchMonitoring\"}"
        ",{\"Action\":[\"kinesis:ListStreams\",\"kinesis:DescribeStream\",\"kinesis:"
        "DescribeStreamSummary\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"ListKinesisResources\"},{\"Action\":[\"ec2:DescribeVpcs\",\"ec2:DescribeSubnets\",\"ec2:"
        "DescribeSecurityGroups\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"ListEC2ResourcesForDaxClusterCreation\"},{\"Action\":\"cloudwatch:"
        "GetInsightRuleReport\",\"Effect\":\"Allow\",\"Resource\":\"arn:aws:cloudwatch:*:*:insight-"
        "rule/"
        "DynamoDBContributorInsights*\",\"Sid\":\"CloudwatchInsightsRules\"},{\"Action\":[\"iam:"
        "CreateServiceLinkedRole\"],\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":["
        "\"replication.dynamodb.amazonaws.com\",\"dax.amazonaws.com\",\"dynamodb.application-"
        "autoscaling.amazonaws.com\",\"contributorinsights.dynamodb.amazonaws.com\","
        "\"kinesisreplication.dynamodb.amazonaws.com\"]}},\"Effect\":\"Allow\",\"Resource\":\"*\","
        "\"Sid\":\"ServiceRoleCreation\"},{\"Action\":[\"iam:ListRoles\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"*\"],\"Sid\":\"IamIntegration\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonDynamoDBReadOnlyAccess", "/", "ANPAXAHTYIHS72UCN7XAT", "v15", 1423248012000,
        1731951495000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"application-autoscaling:"
        "DescribeScalableTargets\",\"application-autoscaling:DescribeScalingActivities\","
        "\"application-autoscaling:DescribeScalingPolicies\",\"cloudwatch:DescribeAlarmHistory\","
        "\"cloudwatch:DescribeAlarms\",\"cloudwatch:DescribeAlarmsForMetric\",\"cloudwatch:"
        "GetMetricStatistics\",\"cloudwatch:ListMetrics\",\"cloudwatch:GetMetricData\","
        "\"datapipeline:DescribeObjects\",\"datapipeline:DescribePipelines\",\"datapipeline:"
        "GetPipelineDefinition\",\"datapipeline:ListPipelines\",\"datapipeline:QueryObjects\","
        "\"dynamodb:BatchGetItem\",\"dynamodb:Describe*\",\"dynamodb:List*\",\"dynamodb:"
        "GetAbacStatus\",\"dynamodb:GetItem\",\"dynamodb:GetResourcePolicy\",\"dynamodb:Query\","
        "\"dynamodb:Scan\",\"dynamodb:PartiQLSelect\",\"dax:Describe*\",\"dax:List*\",\"dax:"
        "GetItem\",\"dax:BatchGetItem\",\"dax:Query\",\"dax:Scan\",\"ec2:DescribeVpcs\",\"ec2:"
        "DescribeSubnets\",\"ec2:DescribeSecurityGroups\",\"iam:GetRole\",\"iam:ListRoles\",\"kms:"
        "DescribeKey\",\"kms:ListAliases\",\"sns:ListSubscriptionsByTopic\",\"sns:ListTopics\","
        "\"lambda:ListFunctions\",\"lambda:ListEventSourceMappings\",\"lambda:"
        "GetFunctionConfiguration\",\"resource-groups:ListGroups\",\"resource-groups:"
        "ListGroupResources\",\"resource-groups:GetGroup\",\"resource-groups:GetGroupQuery\",\"tag:"
        "GetResources\",\"kinesis:ListStreams\",\"kinesis:DescribeStream\",\"kinesis:"
        "DescribeStreamSummary\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"GeneralReadOnlyAccess\"},{\"Action\":\"cloudwatch:GetInsightRuleReport\",\"Effect\":"
        "\"Allow\",\"Resource\":\"arn:aws:cloudwatch:*:*:insight-rule/"
        "DynamoDBContributorInsights*\",\"Sid\":\"CCIAccess\"}]}"),
    AWS_POLICY(
        "AmazonEC2ContainerRegistryFullAccess", "/", "ANPATX444PKMLX3J62TB7", "v3", 1450717608000,
        1607126659000,
        "{\"Statement\":[{\"Action\":[\"ecr:*\",\"cloudtrail:LookupEvents\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\"},{\"Action\":[\"iam:CreateServiceLinkedRole\"],\"Condition\":{"
        "\"StringEquals\":{\"iam:AWSServiceName\":[\"replication.ecr.amazonaws.com\"]}},\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEC2ContainerRegistryPowerUser", "/", "ANPA26ZNZUW2KAWMBKKL3", "v3", 1450717533000,
        1576010888000,
        "{\"Statement\":[{\"Action\":[\"ecr:GetAuthorizationToken\",\"ecr:"
        "BatchCheckLayerAvailability\",\"ecr:GetDownloadUrlForLayer\",\"ecr:GetRepositoryPolicy\","
        "\"ecr:DescribeRepositories\",\"ecr:ListImages\",\"ecr:DescribeImages\",\"ecr:"
        "BatchGetImage\",\"ecr:GetLifecyclePolicy\",\"ecr:GetLifecyclePolicyPreview\",\"ecr:"
        "ListTagsForResource\",\"ecr:DescribeImageScanFindings\",\"ecr:InitiateLayerUpload\",\"ecr:"
        "UploadLayerPart\",\"ecr:CompleteLayerUpload\",\"ecr:PutImage\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonEC2ContainerRegistryPullOnly", "/", "ANPAERGQSYSQAVX5FLUIE", "v1",
               1728061129000, 1728061129000,
               "{\"Statement\":[{\"Action\":[\"ecr:GetAuthorizationToken\",\"ecr:BatchGetImage\","
               "\"ecr:GetDownloadUrlForLayer\",\"ecr:BatchImportUpstreamImage\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEC2ContainerRegistryReadOnly", "/", "ANPAOAGVS3FUMPKKQOIZK", "v3", 1450717455000,
        1576011392000,
        "{\"Statement\":[{\"Action\":[\"ecr:GetAuthorizationToken\",\"ecr:"
        "BatchCheckLayerAvailability\",\"ecr:GetDownloadUrlForLayer\",\"ecr:GetRepositoryPolicy\","
        "\"ecr:DescribeRepositories\",\"ecr:ListImages\",\"ecr:DescribeImages\",\"ecr:"
        "BatchGetImage\",\"ecr:GetLifecyclePolicy\",\"ecr:GetLifecyclePolicyPreview\",\"ecr:"
        "ListTagsForResource\",\"ecr:DescribeImageScanFindings\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEC2FullAccess", "/", "ANPA5QVFJWVU5YLIKNZH5", "v5", 1423248015000, 1543285016000,
        "{\"Statement\":[{\"Action\":\"ec2:*\",\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
        "\"Action\":\"elasticloadbalancing:*\",\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
        "\"Action\":\"cloudwatch:*\",\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":"
        "\"autoscaling:*\",\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":\"iam:"
        "CreateServiceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":["
        "\"autoscaling.amazonaws.com\",\"ec2scheduled.amazonaws.com\",\"elasticloadbalancing."
        "amazonaws.com\",\"spot.amazonaws.com\",\"spotfleet.amazonaws.com\",\"transitgateway."
        "amazonaws.com\"]}},\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonEC2ReadOnlyAccess", "/", "ANPAYVCB6H7AGFCSEIHGO", "v5", 1423248017000,
               1770919397000,
               "{\"Statement\":[{\"Action\":[\"ec2:Describe*\",\"ec2:GetSecurityGroupsForVpc\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":\"elasticloadbalancing:"
               "Describe*\",\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"cloudwatch:"
               "ListMetrics\",\"cloudwatch:GetMetricStatistics\",\"cloudwatch:Describe*\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":\"autoscaling:Describe*\","
               "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEC2RoleforSSM", "/service-role/", "ANPADMLKC3FH7FXWPJLES", "v8", 1432921715000,
        1548357651000,
        "{\"Statement\":[{\"Action\":[\"ssm:DescribeAssociation\",\"ssm:"
        "GetDeployablePatchSnapshotForInstance\",\"ssm:GetDocument\",\"ssm:DescribeDocument\","
        "\"ssm:GetManifest\",\"ssm:GetParameters\",\"ssm:ListAssociations\",\"ssm:"
        "ListInstanceAssociations\",\"ssm:PutInventory\",\"ssm:PutComplianceItems\",\"ssm:"
        "PutConfigurePackageResult\",\"ssm:UpdateAssociationStatus\",\"ssm:"
        "UpdateInstanceAssociationStatus\",\"ssm:UpdateInstanceInformation\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\"},{\"Action\":[\"ssmmessages:CreateControlChannel\",\"ssmmessages:"
        "CreateDataChannel\",\"ssmmessages:OpenControlChannel\",\"ssmmessages:OpenDataChannel\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"ec2messages:AcknowledgeMessage\","
        "\"ec2messages:DeleteMessage\",\"ec2messages:FailMessage\",\"ec2messages:GetEndpoint\","
        "\"ec2messages:GetMessages\",\"ec2messages:SendReply\"],\"Effect\":\"Allow\",\"Resource\":"
        "\"*\"},{\"Action\":[\"cloudwatch:PutMetricData\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}"
        ",{\"Action\":[\"ec2:DescribeInstanceStatus\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
        "\"Action\":[\"ds:CreateComputer\",\"ds:DescribeDirectories\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\"},{\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:"
        "DescribeLogGroups\",\"logs:DescribeLogStreams\",\"logs:PutLogEvents\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"s3:GetBucketLocation\",\"s3:PutObject\",\"s3:"
        "GetObject\",\"s3:GetEncryptionConfiguration\",\"s3:AbortMultipartUpload\",\"s3:"
        "ListMultipartUploadParts\",\"s3:ListBucket\",\"s3:ListBucketMultipartUploads\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonECSTaskExecutionRolePolicy", "/service-role/", "ANPAZPE3WVQW6NHOK26I7", "v1",
               1510858102000, 1510858102000,
               "{\"Statement\":[{\"Action\":[\"ecr:GetAuthorizationToken\",\"ecr:"
               "BatchCheckLayerAvailability\",\"ecr:GetDownloadUrlForLayer\",\"ecr:BatchGetImage\","
               "\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Effect\":\"Allow\",\"Resource\":"
               "\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEKSClusterPolicy", "/", "ANPAXCA5FBKPNIE4OP6QS", "v10", 1527455174000, 1770919095000,
        "{\"Statement\":[{\"Action\":[\"autoscaling:DescribeAutoScalingGroups\",\"autoscaling:"
        "UpdateAutoScalingGroup\",\"ec2:AttachVolume\",\"ec2:AuthorizeSecurityGroupIngress\",\"ec2:"
        "CreateRoute\",\"ec2:CreateSecurityGroup\",\"ec2:CreateTags\",\"ec2:CreateVolume\",\"ec2:"
        "DeleteRoute\",\"ec2:DeleteSecurityGroup\",\"ec2:DeleteVolume\",\"ec2:DescribeInstances\","
        "\"ec2:DescribeRouteTables\",\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:"
        "DescribeVolumes\",\"ec2:DescribeVolumesModifications\",\"ec2:DescribeVpcs\",\"ec2:"
        "DescribeDhcpOptions\",\"ec2:DescribeNetworkInterfaces\",\"ec2:DescribeAvailabilityZones\","
        "\"ec2:DetachVolume\",\"ec2:ModifyInstanceAttribute\",\"ec2:ModifyVolume\",\"ec2:"
        "RevokeSecurityGroupIngress\",\"ec2:DescribeAccountAttributes\",\"ec2:DescribeAddresses\","
        "\"ec2:DescribeInternetGateways\",\"ec2:DescribeInstanceTopology\",\"elasticloadbalancing:"
        "AddTags\",\"elasticloadbalancing:ApplySecurityGroupsToLoadBalancer\","
        "\"elasticloadbalancing:AttachLoadBalancerToSubnets\",\"elasticloadbalancing:"
        "ConfigureHealthCheck\",\"elasticloadbalancing:CreateListener\",\"elasticloadbalancing:"
        "CreateLoadBalancer\",\"elasticloadbalancing:CreateLoadBalancerListeners\","
        "\"elasticloadbalancing:CreateLoadBalancerPolicy\",\"elasticloadbalancing:"
        "CreateTargetGroup\",\"elasticloadbalancing:DeleteListener\",\"elasticloadbalancing:"
        "DeleteLoadBalancer\",\"elasticloadbalancing:DeleteLoadBalancerListeners\","
        "\"elasticloadbalancing:DeleteTargetGroup\",\"elasticloadbalancing:"
        "DeregisterInstancesFromLoadBalancer\",\"elasticloadbalancing:DeregisterTargets\","
        "\"elasticloadbalancing:DescribeListeners\",\"elasticloadbalancing:"
        "DescribeLoadBalancerAttributes\",\"elasticloadbalancing:DescribeLoadBalancerPolicies\","
        "\"elasticloadbalancing:DescribeLoadBalancers\",\"elasticloadbalancing:"
        "DescribeTargetGroupAttributes\",\"elasticloadbalancing:DescribeTargetGroups\","
        "\"elasticloadbalancing:DescribeTargetHealth\",\"elasticloadbalancing:"
        "DetachLoadBalancerFromSubnets\",\"elasticloadbalancing:ModifyListener\","
        "\"elasticloadbalancing:ModifyLoadBalancerAttributes\",\"elasticloadbalancing:"
        "ModifyTargetGroup\",\"elasticloadbalancing:ModifyTargetGroupAttributes\","
        "\"elasticloadbalancing:RegisterInstancesWithLoadBalancer\",\"elasticloadbalancing:"
        "RegisterTargets\",\"elasticloadbalancing:SetLoadBalancerPoliciesForBackendServer\","
        "\"elasticloadbalancing:SetLoadBalancerPoliciesOfListener\",\"kms:DescribeKey\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"AmazonEKSClusterPolicy\"},{\"Action\":"
        "\"iam:CreateServiceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":"
        "\"elasticloadbalancing.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"AmazonEKSClusterPolicySLRCreate\"},{\"Action\":\"ec2:DeleteNetworkInterface\","
        "\"Condition\":{\"StringEquals\":{\"ec2:ResourceTag/"
        "eks:eni:owner\":\"amazon-vpc-cni\"}},\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"AmazonEKSClusterPolicyENIDelete\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonEKSFargatePodExecutionRolePolicy", "/", "ANPAQK5SFF665UZFYCKVC", "v1",
               1574397269000, 1574397269000,
               "{\"Statement\":[{\"Action\":[\"ecr:GetAuthorizationToken\",\"ecr:"
               "BatchCheckLayerAvailability\",\"ecr:GetDownloadUrlForLayer\",\"ecr:BatchGetImage\"]"
               ",\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEKSWorkerNodePolicy", "/", "ANPAKSJ2YYODUEQHXY5GQ", "v3", 1527455341000,
        1701043573000,
        "{\"Statement\":[{\"Action\":[\"ec2:DescribeInstances\",\"ec2:DescribeInstanceTypes\","
        "\"ec2:DescribeRouteTables\",\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:"
        "DescribeVolumes\",\"ec2:DescribeVolumesModifications\",\"ec2:DescribeVpcs\",\"eks:"
        "DescribeCluster\",\"eks-auth:AssumeRoleForPodIdentity\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\",\"Sid\":\"WorkerNodePermissions\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonEKS_CNI_Policy", "/", "ANPAMAR2WNBDGJII6LBVE", "v6", 1527455262000,
               1772651534000,
               "{\"Statement\":[{\"Action\":[\"ec2:AssignPrivateIpAddresses\",\"ec2:"
               "AttachNetworkInterface\",\"ec2:CreateNetworkInterface\",\"ec2:"
               "DeleteNetworkInterface\",\"ec2:DescribeInstances\",\"ec2:DescribeTags\",\"ec2:"
               "DescribeNetworkInterfaces\",\"ec2:DescribeInstanceTypes\",\"ec2:DescribeSubnets\","
               "\"ec2:DescribeSecurityGroups\",\"ec2:DetachNetworkInterface\",\"ec2:"
               "ModifyNetworkInterfaceAttribute\",\"ec2:UnassignPrivateIpAddresses\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\",\"Sid\":\"AmazonEKSCNIPolicy\"},{\"Action\":[\"ec2:"
               "CreateTags\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:ec2:*:*:network-"
               "interface/*\"],\"Sid\":\"AmazonEKSCNIPolicyENITag\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonElasticFileSystemClientFullAccess", "/", "ANPACJOIH5C6DFVHJ52XZ", "v1",
               1578932820000, 1578932820000,
               "{\"Statement\":[{\"Action\":[\"elasticfilesystem:ClientMount\",\"elasticfilesystem:"
               "ClientRootAccess\",\"elasticfilesystem:ClientWrite\",\"elasticfilesystem:"
               "DescribeMountTargets\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":"
               "\"2012-10-17\"}"),
    AWS_POLICY("AmazonElasticFileSystemClientReadWriteAccess", "/", "ANPAM3VHAPDEWQ5RTPSIT", "v1",
               1578932515000, 1578932515000,
               "{\"Statement\":[{\"Action\":[\"elasticfilesystem:ClientMount\",\"elasticfilesystem:"
               "ClientWrite\",\"elasticfilesystem:DescribeMountTargets\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEventBridgeFullAccess", "/", "ANPA43ET5KRFXHUI6WH3K", "v7", 1562854135000,
        1770919105000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"events:*\",\"schemas:*\","
        "\"scheduler:*\",\"pipes:*\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"EventBridgeActions\"},{\"Action\":\"iam:CreateServiceLinkedRole\",\"Condition\":{"
        "\"StringEquals\":{\"iam:AWSServiceName\":\"apidestinations.events.amazonaws.com\"}},"
        "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/aws-service-role/"
        "apidestinations.events.amazonaws.com/"
        "AWSServiceRoleForAmazonEventBridgeApiDestinations\",\"Sid\":"
        "\"IAMCreateServiceLinkedRoleForApiDestinations\"},{\"Action\":\"iam:"
        "CreateServiceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":"
        "\"schemas.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/"
        "aws-service-role/schemas.amazonaws.com/"
        "AWSServiceRoleForSchemas\",\"Sid\":"
        "\"IAMCreateServiceLinkedRoleForAmazonEventBridgeSchemas\"},{\"Action\":[\"secretsmanager:"
        "CreateSecret\",\"secretsmanager:UpdateSecret\",\"secretsmanager:DeleteSecret\","
        "\"secretsmanager:GetSecretValue\",\"secretsmanager:PutSecretValue\"],\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:secretsmanager:*:*:secret:events!*\",\"Sid\":"
        "\"SecretsManagerAccessForApiDestinations\"},{\"Action\":\"iam:PassRole\",\"Condition\":{"
        "\"StringLike\":{\"iam:PassedToService\":\"events.amazonaws.com\"}},\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:iam::*:role/"
        "*\",\"Sid\":\"IAMPassRoleAccessForEventBridge\"},{\"Action\":\"iam:PassRole\","
        "\"Condition\":{\"StringLike\":{\"iam:PassedToService\":\"scheduler.amazonaws.com\"}},"
        "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/"
        "*\",\"Sid\":\"IAMPassRoleAccessForScheduler\"},{\"Action\":\"iam:PassRole\",\"Condition\":"
        "{\"StringLike\":{\"iam:PassedToService\":\"pipes.amazonaws.com\"}},\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:iam::*:role/*\",\"Sid\":\"IAMPassRoleAccessForPipes\"}]}"),
    AWS_POLICY(
        "AmazonEventBridgePipesFullAccess", "/", "ANPAJ7SBVLWXOTTI5ZHDN", "v1", 1669914200000,
        1669914200000,
        "{\"Statement\":[{\"Action\":\"pipes:*\",\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"EventBridgePipesActions\"},{\"Action\":\"iam:PassRole\",\"Condition\":{\"StringLike\":{"
        "\"iam:PassedToService\":\"pipes.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:"
        "aws:iam::*:role/*\",\"Sid\":\"IAMPassRoleAccessForPipes\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonEventBridgePipesOperatorAccess", "/", "ANPAFHPV3YJ5ILNZBZDPP", "v1",
               1669914272000, 1669914272000,
               "{\"Statement\":[{\"Action\":[\"pipes:DescribePipe\",\"pipes:ListPipes\",\"pipes:"
               "ListTagsForResource\",\"pipes:StartPipe\",\"pipes:StopPipe\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonEventBridgePipesReadOnlyAccess", "/", "ANPA2BTBCUVQ6JTYHHX5W", "v1",
               1669914243000, 1669914243000,
               "{\"Statement\":[{\"Action\":[\"pipes:DescribePipe\",\"pipes:ListPipes\",\"pipes:"
               "ListTagsForResource\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":"
               "\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEventBridgeReadOnlyAccess", "/", "ANPAJYRFNDVV2D4TIO2FU", "v6", 1562853547000,
        1669914168000,
        "{\"Statement\":[{\"Action\":[\"events:DescribeRule\",\"events:DescribeEventBus\",\"events:"
        "DescribeEventSource\",\"events:ListEventBuses\",\"events:ListEventSources\",\"events:"
        "ListRuleNamesByTarget\",\"events:ListRules\",\"events:ListTargetsByRule\",\"events:"
        "TestEventPattern\",\"events:DescribeArchive\",\"events:ListArchives\",\"events:"
        "DescribeReplay\",\"events:ListReplays\",\"events:DescribeConnection\",\"events:"
        "ListConnections\",\"events:DescribeApiDestination\",\"events:ListApiDestinations\","
        "\"events:DescribeEndpoint\",\"events:ListEndpoints\",\"schemas:DescribeCodeBinding\","
        "\"schemas:DescribeDiscoverer\",\"schemas:DescribeRegistry\",\"schemas:DescribeSchema\","
        "\"schemas:ExportSchema\",\"schemas:GetCodeBindingSource\",\"schemas:GetDiscoveredSchema\","
        "\"schemas:GetResourcePolicy\",\"schemas:ListDiscoverers\",\"schemas:ListRegistries\","
        "\"schemas:ListSchemas\",\"schemas:ListSchemaVersions\",\"schemas:ListTagsForResource\","
        "\"schemas:SearchSchemas\",\"scheduler:GetSchedule\",\"scheduler:GetScheduleGroup\","
        "\"scheduler:ListSchedules\",\"scheduler:ListScheduleGroups\",\"scheduler:"
        "ListTagsForResource\",\"pipes:DescribePipe\",\"pipes:ListPipes\",\"pipes:"
        "ListTagsForResource\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-"
        "17\"}"),
    AWS_POLICY("AmazonEventBridgeSchedulerFullAccess", "/", "ANPA4YGOMCAXXYVLV2DKB", "v4",
               1668105445000, 1770919395000,
               "{\"Statement\":[{\"Action\":\"scheduler:*\",\"Effect\":\"Allow\",\"Resource\":\"*"
               "\"},{\"Action\":\"iam:PassRole\",\"Condition\":{\"StringLike\":{\"iam:"
               "PassedToService\":\"scheduler.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":"
               "\"arn:aws:iam::*:role/*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonEventBridgeSchedulerReadOnlyAccess", "/", "ANPAHRD353DTAXSNPGS2M", "v5",
               1668106212000, 1775152640000,
               "{\"Statement\":[{\"Action\":[\"scheduler:List*\",\"scheduler:Get*\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEventBridgeSchemasFullAccess", "/", "ANPARXG3DQ2VYVQ64LJPN", "v1", 1574982773000,
        1574982773000,
        "{\"Statement\":[{\"Action\":[\"schemas:*\"],\"Effect\":\"Allow\",\"Resource\":\"*\","
        "\"Sid\":\"AmazonEventBridgeSchemasFullAccess\"},{\"Action\":[\"events:PutRule\",\"events:"
        "PutTargets\",\"events:EnableRule\",\"events:DisableRule\",\"events:DeleteRule\",\"events:"
        "RemoveTargets\",\"events:ListTargetsByRule\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
        "events:*:*:rule/"
        "*Schemas*\",\"Sid\":\"AmazonEventBridgeManageRule\"},{\"Action\":\"iam:"
        "CreateServiceLinkedRole\",\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/"
        "aws-service-role/schemas.amazonaws.com/"
        "AWSServiceRoleForSchemas\",\"Sid\":"
        "\"IAMCreateServiceLinkedRoleForAmazonEventBridgeSchemas\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonEventBridgeSchemasReadOnlyAccess", "/", "ANPA2ZVDBKZA545MWGVEO", "v2", 1574982357000,
        1588294253000,
        "{\"Statement\":[{\"Action\":[\"schemas:ListDiscoverers\",\"schemas:DescribeDiscoverer\","
        "\"schemas:ListRegistries\",\"schemas:DescribeRegistry\",\"schemas:SearchSchemas\","
        "\"schemas:ListSchemas\",\"schemas:ListSchemaVersions\",\"schemas:DescribeSchema\","
        "\"schemas:GetDiscoveredSchema\",\"schemas:DescribeCodeBinding\",\"schemas:"
        "GetCodeBindingSource\",\"schemas:ListTagsForResource\",\"schemas:GetResourcePolicy\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"AmazonEventBridgeSchemasReadOnlyAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonKinesisFirehoseFullAccess", "/", "ANPAIXMJPMT6XIRWXRUSQ", "v1", 1444243526000,
               1444243526000,
               "{\"Statement\":[{\"Action\":[\"firehose:*\"],\"Effect\":\"Allow\",\"Resource\":\"*"
               "\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonKinesisFirehoseReadOnlyAccess", "/", "ANPA4WEPD5NB3YWYUJ344", "v1",
               1444243419000, 1444243419000,
               "{\"Statement\":[{\"Action\":[\"firehose:Describe*\",\"firehose:List*\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonKinesisFullAccess", "/", "ANPAAMRAPIP6TF3ZFPNA7", "v1", 1423248029000,
               1423248029000,
               "{\"Statement\":[{\"Action\":\"kinesis:*\",\"Effect\":\"Allow\",\"Resource\":\"*\"}]"
               ",\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonKinesisReadOnlyAccess", "/", "ANPAMMHD35GZM2X2BAQ5K", "v1", 1423248030000,
               1423248030000,
               "{\"Statement\":[{\"Action\":[\"kinesis:Get*\",\"kinesis:List*\",\"kinesis:Describe*"
               "\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonPollyFullAccess", "/", "ANPALENKOR7F3STUZ3E5D", "v1", 1480532346000,
               1480532346000,
               "{\"Statement\":[{\"Action\":[\"polly:*\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"]"
               "}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonRDSDataFullAccess", "/", "ANPAUDHJO46ZVGBCUHTOM", "v3", 1542749376000, 1574287126000,
        "{\"Statement\":[{\"Action\":[\"secretsmanager:GetSecretValue\",\"secretsmanager:"
        "PutResourcePolicy\",\"secretsmanager:PutSecretValue\",\"secretsmanager:DeleteSecret\","
        "\"secretsmanager:DescribeSecret\",\"secretsmanager:TagResource\"],\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:secretsmanager:*:*:secret:rds-db-credentials/"
        "*\",\"Sid\":\"SecretsManagerDbCredentialsAccess\"},{\"Action\":[\"dbqms:"
        "CreateFavoriteQuery\",\"dbqms:DescribeFavoriteQueries\",\"dbqms:UpdateFavoriteQuery\","
        "\"dbqms:DeleteFavoriteQueries\",\"dbqms:GetQueryString\",\"dbqms:CreateQueryHistory\","
        "\"dbqms:DescribeQueryHistory\",\"dbqms:UpdateQueryHistory\",\"dbqms:DeleteQueryHistory\","
        "\"rds-data:ExecuteSql\",\"rds-data:ExecuteStatement\",\"rds-data:BatchExecuteStatement\","
        "\"rds-data:BeginTransaction\",\"rds-data:CommitTransaction\",\"rds-data:"
        "RollbackTransaction\",\"secretsmanager:CreateSecret\",\"secretsmanager:ListSecrets\","
        "\"secretsmanager:GetRandomPassword\",\"tag:GetResources\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\",\"Sid\":\"RDSDataServiceAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonRDSEnhancedMonitoringRole", "/service-role/", "ANPATTKBCZWEX7H57EYNL", "v1",
        1447271909000, 1447271909000,
        "{\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\"logs:PutRetentionPolicy\"],"
        "\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:logs:*:*:log-group:RDS*\"],\"Sid\":"
        "\"EnableCreationAndManagementOfRDSCloudwatchLogGroups\"},{\"Action\":[\"logs:"
        "CreateLogStream\",\"logs:PutLogEvents\",\"logs:DescribeLogStreams\",\"logs:GetLogEvents\"]"
        ",\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:logs:*:*:log-group:RDS*:log-stream:*\"],"
        "\"Sid\":\"EnableCreationAndManagementOfRDSCloudwatchLogStreams\"}],\"Version\":\"2012-10-"
        "17\"}"),
    AWS_POLICY("AmazonRDSReadOnlyAccess", "/", "ANPARLRKP5CJMMSNB7V4K", "v7", 1423248053000,
               1681475529000,
               "{\"Statement\":[{\"Action\":[\"rds:Describe*\",\"rds:ListTagsForResource\",\"ec2:"
               "DescribeAccountAttributes\",\"ec2:DescribeAvailabilityZones\",\"ec2:"
               "DescribeInternetGateways\",\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\","
               "\"ec2:DescribeVpcAttribute\",\"ec2:DescribeVpcs\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"},{\"Action\":[\"cloudwatch:GetMetricStatistics\",\"cloudwatch:"
               "ListMetrics\",\"cloudwatch:GetMetricData\",\"logs:DescribeLogStreams\",\"logs:"
               "GetLogEvents\",\"devops-guru:GetResourceCollection\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\"},{\"Action\":[\"devops-guru:SearchInsights\",\"devops-guru:"
               "ListAnomaliesForInsight\"],\"Condition\":{\"ForAllValues:StringEquals\":{\"devops-"
               "guru:ServiceNames\":[\"RDS\"]},\"Null\":{\"devops-guru:ServiceNames\":\"false\"}},"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonRekognitionFullAccess", "/", "ANPAHEBZ2GUGPIQFAYNX7", "v1", 1480516844000,
               1480516844000,
               "{\"Statement\":[{\"Action\":[\"rekognition:*\"],\"Effect\":\"Allow\",\"Resource\":"
               "\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonRoute53FullAccess", "/", "ANPAUPQXEOZRHKUFPYAYO", "v7", 1423248054000, 1770919240000,
        "{\"Statement\":[{\"Action\":[\"route53:*\",\"route53domains:*\",\"cloudfront:"
        "ListDistributions\",\"cloudfront:GetDistributionTenantByDomain\",\"cloudfront:"
        "GetConnectionGroup\",\"cloudwatch:DescribeAlarms\",\"cloudwatch:GetMetricStatistics\","
        "\"cloudwatch:GetMetricData\",\"ec2:DescribeVpcs\",\"ec2:DescribeVpcEndpoints\",\"ec2:"
        "DescribeRegions\",\"elasticloadbalancing:DescribeLoadBalancers\",\"elasticbeanstalk:"
        "DescribeEnvironments\",\"es:ListDomainNames\",\"es:DescribeDomains\",\"lightsail:"
        "GetContainerServices\",\"s3:ListBucket\",\"s3:GetBucketLocation\",\"s3:GetBucketWebsite\","
        "\"sns:ListTopics\",\"sns:ListSubscriptionsByTopic\",\"tag:GetResources\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"},{\"Action\":\"apigateway:GET\",\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:apigateway:*::/domainnames\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonRoute53ReadOnlyAccess", "/", "ANPAQACA4QDHJC34G6ZSM", "v2", 1423248055000,
        1479244516000,
        "{\"Statement\":[{\"Action\":[\"route53:Get*\",\"route53:List*\",\"route53:TestDNSAnswer\"]"
        ",\"Effect\":\"Allow\",\"Resource\":[\"*\"]}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonS3FullAccess", "/", "ANPAM4IUABDSGPXMCW4U2", "v2", 1423248058000,
               1632773797000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"s3:*\",\"s3-object-"
               "lambda:*\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY("AmazonS3ObjectLambdaExecutionRolePolicy", "/service-role/", "ANPAN7QZ3SK5YXPTBOUCP",
               "v1", 1629281261000, 1629281261000,
               "{\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
               "\"logs:PutLogEvents\",\"s3-object-lambda:WriteGetObjectResponse\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonS3ReadOnlyAccess", "/", "ANPAYZAUAF34BQNVMLD6I", "v3", 1423248059000,
               1691703099000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"s3:Get*\",\"s3:List*\","
               "\"s3:Describe*\",\"s3-object-lambda:Get*\",\"s3-object-lambda:List*\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY("AmazonSESFullAccess", "/", "ANPAY6VQGAQZMDLSDASGR", "v1", 1423248062000,
               1423248062000,
               "{\"Statement\":[{\"Action\":[\"ses:*\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],"
               "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonSESReadOnlyAccess", "/", "ANPAIRAGOMGTD4HKOTZLS", "v2", 1423248063000,
               1715688182000,
               "{\"Statement\":[{\"Action\":[\"ses:Get*\",\"ses:List*\",\"ses:BatchGetMetricData\"]"
               ",\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"SESReadOnlyAccess\"}],"
               "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonSNSFullAccess", "/", "ANPAEHMMPN3MCXDG5KM4X", "v2", 1423248065000, 1727217125000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":\"sns:*\",\"Effect\":\"Allow\","
        "\"Resource\":\"*\",\"Sid\":\"SNSFullAccess\"},{\"Action\":[\"sms-voice:"
        "DescribeVerifiedDestinationNumbers\",\"sms-voice:CreateVerifiedDestinationNumber\",\"sms-"
        "voice:SendDestinationNumberVerificationCode\",\"sms-voice:SendTextMessage\",\"sms-voice:"
        "DeleteVerifiedDestinationNumber\",\"sms-voice:VerifyDestinationNumber\",\"sms-voice:"
        "DescribeAccountAttributes\",\"sms-voice:DescribeSpendLimits\",\"sms-voice:"
        "DescribePhoneNumbers\",\"sms-voice:SetTextMessageSpendLimitOverride\",\"sms-voice:"
        "DescribeOptedOutNumbers\",\"sms-voice:DeleteOptedOutNumber\"],\"Condition\":{"
        "\"StringEquals\":{\"aws:CalledViaLast\":\"sns.amazonaws.com\"}},\"Effect\":\"Allow\","
        "\"Resource\":\"*\",\"Sid\":\"SMSAccessViaSNS\"}]}"),
    AWS_POLICY(
        "AmazonSNSReadOnlyAccess", "/", "ANPATQC4LIOC46W7H3PBR", "v2", 1423248066000, 1727215992000,
        "{\"Statement\":[{\"Action\":[\"sns:GetTopicAttributes\",\"sns:List*\",\"sns:"
        "CheckIfPhoneNumberIsOptedOut\",\"sns:GetEndpointAttributes\",\"sns:"
        "GetDataProtectionPolicy\",\"sns:GetPlatformApplicationAttributes\",\"sns:"
        "GetSMSAttributes\",\"sns:GetSMSSandboxAccountStatus\",\"sns:GetSubscriptionAttributes\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"SNSReadOnlyAccess\"},{\"Action\":[\"sms-"
        "voice:DescribeVerifiedDestinationNumbers\",\"sms-voice:DescribeAccountAttributes\",\"sms-"
        "voice:DescribeSpendLimits\",\"sms-voice:DescribePhoneNumbers\",\"sms-voice:"
        "DescribeOptedOutNumbers\"],\"Condition\":{\"StringEquals\":{\"aws:CalledViaLast\":\"sns."
        "amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"SMSAccessViaSNS\"}],"
        "\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonSNSRole", "/service-role/", "ANPAQ6F5ZU3YGSZTHOXPP", "v1", 1423248090000,
               1423248090000,
               "{\"Statement\":[{\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
               "\"logs:PutLogEvents\",\"logs:PutMetricFilter\",\"logs:PutRetentionPolicy\"],"
               "\"Effect\":\"Allow\",\"Resource\":[\"*\"]}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonSQSFullAccess", "/", "ANPA7TA2AGUVEINTMWDAI", "v1", 1423248067000,
               1423248067000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"sqs:*\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY("AmazonSQSReadOnlyAccess", "/", "ANPAJZSVB3IHYWGDQC73C", "v4", 1423248068000,
               1716574604000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"sqs:GetQueueAttributes\","
               "\"sqs:GetQueueUrl\",\"sqs:ListDeadLetterSourceQueues\",\"sqs:ListQueues\",\"sqs:"
               "ListMessageMoveTasks\",\"sqs:ListQueueTags\"],\"Effect\":\"Allow\",\"Resource\":\"*"
               "\",\"Sid\":\"AmazonSQSReadOnlyAccess\"}]}"),
    AWS_POLICY(
        "AmazonSSMAutomationRole", "/service-role/", "ANPAQYVYEPD35KS7PEF7W", "v9", 1480975795000,
        1774028534000,
        "{\"Statement\":[{\"Action\":[\"lambda:InvokeFunction\"],\"Effect\":\"Allow\",\"Resource\":"
        "[\"arn:aws:lambda:*:*:function:Automation*\"]},{\"Action\":[\"ec2:CreateImage\",\"ec2:"
        "CopyImage\",\"ec2:DeregisterImage\",\"ec2:DescribeImages\",\"ec2:DeleteSnapshot\",\"ec2:"
        "StartInstances\",\"ec2:RunInstances\",\"ec2:StopInstances\",\"ec2:TerminateInstances\","
        "\"ec2:DescribeInstanceStatus\",\"ec2:CreateTags\",\"ec2:DeleteTags\",\"ec2:DescribeTags\","
        "\"cloudformation:CreateStack\",\"cloudformation:DescribeStackEvents\",\"cloudformation:"
        "DescribeStacks\",\"cloudformation:UpdateStack\",\"cloudformation:DeleteStack\","
        "\"cloudformation:TagResource\",\"cloudformation:UntagResource\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"*\"]},{\"Action\":[\"ssm:*\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"]},{"
        "\"Action\":[\"sns:Publish\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:sns:*:*:"
        "Automation*\"]},{\"Action\":[\"ssmmessages:OpenDataChannel\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"arn:*:ssm:*:*:session/*\"]}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonSSMFullAccess", "/", "ANPAPHIHEE6USNZZHX3DO", "v4", 1432921187000, 1574280536000,
        "{\"Statement\":[{\"Action\":[\"cloudwatch:PutMetricData\",\"ds:CreateComputer\",\"ds:"
        "DescribeDirectories\",\"ec2:DescribeInstanceStatus\",\"logs:*\",\"ssm:*\",\"ec2messages:*"
        "\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":\"iam:CreateServiceLinkedRole\","
        "\"Condition\":{\"StringLike\":{\"iam:AWSServiceName\":\"ssm.amazonaws.com\"}},\"Effect\":"
        "\"Allow\",\"Resource\":\"arn:aws:iam::*:role/aws-service-role/ssm.amazonaws.com/"
        "AWSServiceRoleForAmazonSSM*\"},{\"Action\":[\"iam:DeleteServiceLinkedRole\",\"iam:"
        "GetServiceLinkedRoleDeletionStatus\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:"
        "role/aws-service-role/ssm.amazonaws.com/"
        "AWSServiceRoleForAmazonSSM*\"},{\"Action\":[\"ssmmessages:CreateControlChannel\","
        "\"ssmmessages:CreateDataChannel\",\"ssmmessages:OpenControlChannel\",\"ssmmessages:"
        "OpenDataChannel\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonSSMMaintenanceWindowRole", "/service-role/", "ANPAE5DZQRYMKWSWUI5CP", "v3",
        1480607874000, 1564186565000,
        "{\"Statement\":[{\"Action\":[\"ssm:GetAutomationExecution\",\"ssm:GetParameters\",\"ssm:"
        "ListCommands\",\"ssm:SendCommand\",\"ssm:StartAutomationExecution\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"*\"]},{\"Action\":[\"lambda:InvokeFunction\"],\"Effect\":\"Allow\","
        "\"Resource\":[\"arn:aws:lambda:*:*:function:SSM*\",\"arn:aws:lambda:*:*:function:*:SSM*\"]"
        "},{\"Action\":[\"states:DescribeExecution\",\"states:StartExecution\"],\"Effect\":"
        "\"Allow\",\"Resource\":[\"arn:aws:states:*:*:stateMachine:SSM*\",\"arn:aws:states:*:*:"
        "execution:SSM*\"]},{\"Action\":[\"resource-groups:ListGroups\",\"resource-groups:"
        "ListGroupResources\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"]},{\"Action\":[\"tag:"
        "GetResources\"],\"Effect\":\"Allow\",\"Resource\":[\"*\"]}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonSSMManagedEC2InstanceDefaultPolicy", "/", "ANPACYJLFTRQ6OGUIRUGM", "v2",
        1661892867000, 1721153647000,
        "{\"Statement\":[{\"Action\":[\"ssm:DescribeAssociation\",\"ssm:"
        "GetDeployablePatchSnapshotForInstance\",\"ssm:GetDocument\",\"ssm:DescribeDocument\","
        "\"ssm:GetManifest\",\"ssm:ListAssociations\",\"ssm:ListInstanceAssociations\",\"ssm:"
        "PutInventory\",\"ssm:PutComplianceItems\",\"ssm:PutConfigurePackageResult\",\"ssm:"
        "UpdateAssociationStatus\",\"ssm:UpdateInstanceAssociationStatus\",\"ssm:"
        "UpdateInstanceInformation\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"AllowSSMAgentPermissions\"},{\"Action\":[\"ssmmessages:CreateControlChannel\","
        "\"ssmmessages:CreateDataChannel\",\"ssmmessages:OpenControlChannel\",\"ssmmessages:"
        "OpenDataChannel\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"AllowSSMChannelMessaging\"},{\"Action\":[\"ec2messages:AcknowledgeMessage\","
        "\"ec2messages:DeleteMessage\",\"ec2messages:FailMessage\",\"ec2messages:GetEndpoint\","
        "\"ec2messages:GetMessages\",\"ec2messages:SendReply\"],\"Effect\":\"Allow\",\"Resource\":"
        "\"*\",\"Sid\":\"AllowSSMLegacyMessaging\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonSSMManagedInstanceCore", "/", "ANPAEW4OYHTVZVZA2PZZJ", "v2", 1552670532000,
        1558630461000,
        "{\"Statement\":[{\"Action\":[\"ssm:DescribeAssociation\",\"ssm:"
        "GetDeployablePatchSnapshotForInstance\",\"ssm:GetDocument\",\"ssm:DescribeDocument\","
        "\"ssm:GetManifest\",\"ssm:GetParameter\",\"ssm:GetParameters\",\"ssm:ListAssociations\","
        "\"ssm:ListInstanceAssociations\",\"ssm:PutInventory\",\"ssm:PutComplianceItems\",\"ssm:"
        "PutConfigurePackageResult\",\"ssm:UpdateAssociationStatus\",\"ssm:"
        "UpdateInstanceAssociationStatus\",\"ssm:UpdateInstanceInformation\"],\"Effect\":\"Allow\","
        "\"Resource\":\"*\"},{\"Action\":[\"ssmmessages:CreateControlChannel\",\"ssmmessages:"
        "CreateDataChannel\",\"ssmmessages:OpenControlChannel\",\"ssmmessages:OpenDataChannel\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\"},{\"Action\":[\"ec2messages:AcknowledgeMessage\","
        "\"ec2messages:DeleteMessage\",\"ec2messages:FailMessage\",\"ec2messages:GetEndpoint\","
        "\"ec2messages:GetMessages\",\"ec2messages:SendReply\"],\"Effect\":\"Allow\",\"Resource\":"
        "\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonSSMReadOnlyAccess", "/", "ANPAZGJFUPM5NUCF2N4ES", "v1", 1432921459000,
               1432921459000,
               "{\"Statement\":[{\"Action\":[\"ssm:Describe*\",\"ssm:Get*\",\"ssm:List*\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("AmazonTextractFullAccess", "/", "ANPAR7WAW227HWQQMWIXS", "v1", 1543432062000,
               1543432062000,
               "{\"Statement\":[{\"Action\":[\"textract:*\"],\"Effect\":\"Allow\",\"Resource\":\"*"
               "\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "AmazonVPCReadOnlyAccess", "/", "ANPAHTKZKPOFOAA4F23EB", "v12", 1423248077000,
        1770919099000,
        "{\"Statement\":[{\"Action\":[\"ec2:DescribeAccountAttributes\",\"ec2:DescribeAddresses\","
        "\"ec2:DescribeCarrierGateways\",\"ec2:DescribeClassicLinkInstances\",\"ec2:"
        "DescribeCustomerGateways\",\"ec2:DescribeDhcpOptions\",\"ec2:"
        "DescribeEgressOnlyInternetGateways\",\"ec2:DescribeFlowLogs\",\"ec2:"
        "DescribeInternetGateways\",\"ec2:DescribeLocalGatewayRouteTables\",\"ec2:"
        "DescribeLocalGatewayRouteTableVpcAssociations\",\"ec2:DescribeMovingAddresses\",\"ec2:"
        "DescribeNatGateways\",\"ec2:DescribeNetworkAcls\",\"ec2:"
        "DescribeNetworkInterfaceAttribute\",\"ec2:DescribeNetworkInterfacePermissions\",\"ec2:"
        "DescribeNetworkInterfaces\",\"ec2:DescribePrefixLists\",\"ec2:DescribeRouteTables\",\"ec2:"
        "DescribeSecurityGroupReferences\",\"ec2:DescribeSecurityGroupRules\",\"ec2:"
        "DescribeSecurityGroups\",\"ec2:DescribeSecurityGroupVpcAssociations\",\"ec2:"
        "DescribeStaleSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:DescribeTags\",\"ec2:"
        "DescribeVpcAttribute\",\"ec2:DescribeVpcClassicLink\",\"ec2:"
        "DescribeVpcClassicLinkDnsSupport\",\"ec2:DescribeVpcEndpoints\",\"ec2:"
        "DescribeVpcEndpointConnectionNotifications\",\"ec2:DescribeVpcEndpointConnections\",\"ec2:"
        "DescribeVpcEndpointServiceConfigurations\",\"ec2:DescribeVpcEndpointServicePermissions\","
        "\"ec2:DescribeVpcEndpointServices\",\"ec2:DescribeVpcPeeringConnections\",\"ec2:"
        "DescribeVpcs\",\"ec2:DescribeVpnConnections\",\"ec2:DescribeVpnGateways\",\"ec2:"
        "GetSecurityGroupsForVpc\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"AmazonVPCReadOnlyAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("CloudFrontReadOnlyAccess", "/", "ANPA3AK2VS7F2II26ZONX", "v12", 1423247995000,
               1770919146000,
               "{\"Statement\":[{\"Action\":[\"acm:DescribeCertificate\",\"acm:ListCertificates\","
               "\"cloudfront:Describe*\",\"cloudfront:Get*\",\"cloudfront:List*\",\"cloudfront-"
               "keyvaluestore:Describe*\",\"cloudfront-keyvaluestore:Get*\",\"cloudfront-"
               "keyvaluestore:List*\",\"iam:ListServerCertificates\",\"route53:List*\",\"waf:"
               "ListWebACLs\",\"waf:GetWebACL\",\"wafv2:ListWebACLs\",\"wafv2:GetWebACL\",\"ec2:"
               "DescribeIpamPools\",\"ec2:GetIpamPoolCidrs\",\"pricingplanmanager:"
               "ListSubscriptions\",\"pricingplanmanager:GetSubscription\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\",\"Sid\":\"cfReadOnly\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("CloudWatchAgentAdminPolicy", "/", "ANPAN7E2CS3UEFFBMFK72", "v2", 1520383951000,
               1707166797000,
               "{\"Statement\":[{\"Action\":[\"cloudwatch:PutMetricData\",\"ec2:DescribeTags\","
               "\"logs:PutLogEvents\",\"logs:PutRetentionPolicy\",\"logs:DescribeLogStreams\","
               "\"logs:DescribeLogGroups\",\"logs:CreateLogStream\",\"logs:CreateLogGroup\",\"xray:"
               "PutTraceSegments\",\"xray:PutTelemetryRecords\",\"xray:GetSamplingRules\",\"xray:"
               "GetSamplingTargets\",\"xray:GetSamplingStatisticSummaries\"],\"Effect\":\"Allow\","
               "\"Resource\":\"*\",\"Sid\":\"CWACloudWatchPermissions\"},{\"Action\":[\"ssm:"
               "GetParameter\",\"ssm:PutParameter\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
               "ssm:*:*:parameter/"
               "AmazonCloudWatch-*\",\"Sid\":\"CWASSMPermissions\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "CloudWatchAgentServerPolicy", "/", "ANPANND76WFNUO7RMIWHR", "v3", 1520384804000,
        1707237457000,
        "{\"Statement\":[{\"Action\":[\"cloudwatch:PutMetricData\",\"ec2:DescribeVolumes\",\"ec2:"
        "DescribeTags\",\"logs:PutLogEvents\",\"logs:PutRetentionPolicy\",\"logs:"
        "DescribeLogStreams\",\"logs:DescribeLogGroups\",\"logs:CreateLogStream\",\"logs:"
        "CreateLogGroup\",\"xray:PutTraceSegments\",\"xray:PutTelemetryRecords\",\"xray:"
        "GetSamplingRules\",\"xray:GetSamplingTargets\",\"xray:GetSamplingStatisticSummaries\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"CWACloudWatchServerPermissions\"},{"
        "\"Action\":[\"ssm:GetParameter\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:ssm:*:*:"
        "parameter/"
        "AmazonCloudWatch-*\",\"Sid\":\"CWASSMServerPermissions\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("CloudWatchEventsBuiltInTargetExecutionAccess", "/service-role/",
               "ANPAYSIX5BYUVH6B7L4CY", "v1", 1452796549000, 1452796549000,
               "{\"Statement\":[{\"Action\":[\"ec2:Describe*\",\"ec2:RebootInstances\",\"ec2:"
               "StopInstances\",\"ec2:TerminateInstances\",\"ec2:CreateSnapshot\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\",\"Sid\":"
               "\"CloudWatchEventsBuiltInTargetExecutionAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "CloudWatchEventsFullAccess", "/", "ANPA62DYA26FUFC7LK7EB", "v5", 1452796628000,
        1770919232000,
        "{\"Statement\":[{\"Action\":[\"events:*\",\"schemas:*\",\"scheduler:*\",\"pipes:*\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":\"EventBridgeActions\"},{\"Action\":\"iam:"
        "CreateServiceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":"
        "\"apidestinations.events.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:"
        "iam::*:role/aws-service-role/apidestinations.events.amazonaws.com/"
        "AWSServiceRoleForAmazonEventBridgeApiDestinations\",\"Sid\":"
        "\"IAMCreateServiceLinkedRoleForApiDestinations\"},{\"Action\":\"iam:"
        "CreateServiceLinkedRole\",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":"
        "\"schemas.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/"
        "aws-service-role/schemas.amazonaws.com/"
        "AWSServiceRoleForSchemas\",\"Sid\":"
        "\"IAMCreateServiceLinkedRoleForAmazonEventBridgeSchemas\"},{\"Action\":[\"secretsmanager:"
        "CreateSecret\",\"secretsmanager:UpdateSecret\",\"secretsmanager:DeleteSecret\","
        "\"secretsmanager:GetSecretValue\",\"secretsmanager:PutSecretValue\"],\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:secretsmanager:*:*:secret:events!*\",\"Sid\":"
        "\"SecretsManagerAccessForApiDestinations\"},{\"Action\":\"iam:PassRole\",\"Effect\":"
        "\"Allow\",\"Resource\":\"arn:aws:iam::*:role/"
        "AWS_Events_Invoke_Targets\",\"Sid\":\"IAMPassRoleForCloudWatchEvents\"},{\"Action\":\"iam:"
        "PassRole\",\"Condition\":{\"StringEquals\":{\"iam:PassedToService\":\"scheduler.amazonaws."
        "com\"}},\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:role/"
        "*\",\"Sid\":\"IAMPassRoleAccessForScheduler\"},{\"Action\":\"iam:PassRole\",\"Condition\":"
        "{\"StringEquals\":{\"iam:PassedToService\":\"pipes.amazonaws.com\"}},\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:iam::*:role/"
        "*\",\"Sid\":\"IAMPassRoleAccessForPipes\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "CloudWatchEventsInvocationAccess", "/service-role/", "ANPAI2NPUBQH2JMBXAGEW", "v1",
        1452796593000, 1452796593000,
        "{\"Statement\":[{\"Action\":[\"kinesis:PutRecord\"],\"Effect\":\"Allow\",\"Resource\":\"*"
        "\",\"Sid\":\"CloudWatchEventsInvocationAccess\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "CloudWatchEventsReadOnlyAccess", "/", "ANPAJLRTO36UDKTXEHNXX", "v3", 1452796038000,
        1669912171000,
        "{\"Statement\":[{\"Action\":[\"events:DescribeRule\",\"events:DescribeEventBus\",\"events:"
        "DescribeEventSource\",\"events:ListEventBuses\",\"events:ListEventSources\",\"events:"
        "ListRuleNamesByTarget\",\"events:ListRules\",\"events:ListTargetsByRule\",\"events:"
        "TestEventPattern\",\"events:DescribeArchive\",\"events:ListArchives\",\"events:"
        "DescribeReplay\",\"events:ListReplays\",\"events:DescribeConnection\",\"events:"
        "ListConnections\",\"events:DescribeApiDestination\",\"events:ListApiDestinations\","
        "\"events:DescribeEndpoint\",\"events:ListEndpoints\",\"schemas:DescribeCodeBinding\","
        "\"schemas:DescribeDiscoverer\",\"schemas:DescribeRegistry\",\"schemas:DescribeSchema\","
        "\"schemas:ExportSchema\",\"schemas:GetCodeBindingSource\",\"schemas:GetDiscoveredSchema\","
        "\"schemas:GetResourcePolicy\",\"schemas:ListDiscoverers\",\"schemas:ListRegistries\","
        "\"schemas:ListSchemas\",\"schemas:ListSchemaVersions\",\"schemas:ListTagsForResource\","
        "\"schemas:SearchSchemas\",\"scheduler:GetSchedule\",\"scheduler:GetScheduleGroup\","
        "\"scheduler:ListSchedules\",\"scheduler:ListScheduleGroups\",\"scheduler:"
        "ListTagsForResource\",\"pipes:DescribePipe\",\"pipes:ListPipes\",\"pipes:"
        "ListTagsForResource\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-"
        "17\"}"),
    AWS_POLICY("CloudWatchFullAccess", "/", "ANPAVJ77TCHBJCUGMTB75", "v4", 1423248000000,
               1669555429000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"autoscaling:Describe*\","
               "\"cloudwatch:*\",\"logs:*\",\"sns:*\",\"iam:GetPolicy\",\"iam:GetPolicyVersion\","
               "\"iam:GetRole\",\"oam:ListSinks\"],\"Effect\":\"Allow\",\"Resource\":\"*\"},{"
               "\"Action\":\"iam:CreateServiceLinkedRole\",\"Condition\":{\"StringLike\":{\"iam:"
               "AWSServiceName\":\"events.amazonaws.com\"}},\"Effect\":\"Allow\",\"Resource\":"
               "\"arn:aws:iam::*:role/aws-service-role/events.amazonaws.com/"
               "AWSServiceRoleForCloudWatchEvents*\"},{\"Action\":[\"oam:ListAttachedLinks\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:oam:*:*:sink/*\"}]}"),
    AWS_POLICY("CloudWatchFullAccessV2", "/", "ANPA4ZWO4Q4EKXSKCJXQU", "v1", 1690889577000,
               1690889577000, iam_aws_cloud_watch_full_access_v2),
    AWS_POLICY(
        "CloudWatchLambdaApplicationSignalsExecutionRolePolicy", "/", "ANPA6VOWMQ2CBBZDCEYX7", "v1",
        1729105757000, 1729105757000,
        "{\"Statement\":[{\"Action\":[\"xray:PutTraceSegments\"],\"Condition\":{\"StringEquals\":{"
        "\"aws:ResourceAccount\":\"${aws:PrincipalAccount}\"}},\"Effect\":\"Allow\",\"Resource\":["
        "\"*\"],\"Sid\":\"CloudWatchApplicationSignalsXrayWritePermissions\"},{\"Action\":[\"logs:"
        "CreateLogGroup\",\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Condition\":{"
        "\"StringEquals\":{\"aws:ResourceAccount\":\"${aws:PrincipalAccount}\"}},\"Effect\":"
        "\"Allow\",\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/application-signals/"
        "data:*\",\"Sid\":\"CloudWatchApplicationSignalsLogGroupWritePermissions\"}],\"Version\":"
        "\"2012-10-17\"}"),
    AWS_POLICY("CloudWatchLambdaInsightsExecutionRolePolicy", "/", "ANPAVXV7OU6TFJCJ4T66J", "v1",
               1602098826000, 1602098826000,
               "{\"Statement\":[{\"Action\":\"logs:CreateLogGroup\",\"Effect\":\"Allow\","
               "\"Resource\":\"*\"},{\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/"
               "lambda-insights:*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("CloudWatchLogsFullAccess", "/", "ANPA52GJG75OTRLGUILQ3", "v8", 1423248002000,
               1770919233000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:*\",\"cloudwatch:"
               "GenerateQuery\",\"cloudwatch:GenerateQueryResultsSummary\",\"observabilityadmin:"
               "GetS3TableIntegration\",\"observabilityadmin:ListS3TableIntegrations\","
               "\"observabilityadmin:ListTelemetryPipelines\"],\"Effect\":\"Allow\",\"Resource\":"
               "\"*\",\"Sid\":\"CloudWatchLogsFullAccess\"}]}"),
    AWS_POLICY(
        "CloudWatchLogsReadOnlyAccess", "/", "ANPAOHKWXZM5AJI35PZ5I", "v12", 1423248003000,
        1770919153000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"logs:Describe*\",\"logs:Get*\","
        "\"logs:List*\",\"logs:StartQuery\",\"logs:StopQuery\",\"logs:TestMetricFilter\",\"logs:"
        "FilterLogEvents\",\"logs:StartLiveTail\",\"logs:StopLiveTail\",\"cloudwatch:"
        "GenerateQuery\",\"cloudwatch:GenerateQueryResultsSummary\",\"observabilityadmin:"
        "ListS3TableIntegrations\",\"observabilityadmin:GetS3TableIntegration\","
        "\"observabilityadmin:ListTelemetryPipelines\"],\"Effect\":\"Allow\",\"Resource\":\"*\","
        "\"Sid\":\"CloudWatchLogsReadOnlyAccess\"}]}"),
    AWS_POLICY(
        "CloudWatchReadOnlyAccess", "/", "ANPAOBSUSBJFHDGVX4NT4", "v24", 1423248001000,
        1770919310000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"application-autoscaling:"
        "DescribeScalingPolicies\",\"application-signals:BatchGet*\",\"application-signals:Get*\","
        "\"application-signals:List*\",\"autoscaling:Describe*\",\"cloudtrail:ListChannels\","
        "\"cloudwatch:BatchGet*\",\"cloudwatch:Describe*\",\"cloudwatch:GenerateQuery\","
        "\"cloudwatch:Get*\",\"cloudwatch:List*\",\"logs:Get*\",\"logs:List*\",\"logs:StartQuery\","
        "\"logs:StopQuery\",\"logs:Describe*\",\"logs:TestMetricFilter\",\"logs:FilterLogEvents\","
        "\"logs:StartLiveTail\",\"logs:StopLiveTail\",\"oam:ListSinks\",\"observabilityadmin:"
        "GetCentralizationRuleForOrganization\",\"observabilityadmin:"
        "ListCentralizationRulesForOrganization\",\"observabilityadmin:"
        "GetTelemetryEvaluationStatus\",\"observabilityadmin:"
        "GetTelemetryEvaluationStatusForOrganization\",\"observabilityadmin:GetTelemetryRule\","
        "\"observabilityadmin:GetTelemetryRuleForOrganization\",\"observabilityadmin:"
        "ListResourceTelemetry\",\"observabilityadmin:ListResourceTelemetryForOrganization\","
        "\"observabilityadmin:ListTelemetryRules\",\"observabilityadmin:"
        "ListTelemetryRulesForOrganization\",\"observabilityadmin:GetTelemetryEnrichmentStatus\","
        "\"observabilityadmin:ListTagsForResource\",\"observabilityadmin:GetTelemetryPipeline\","
        "\"observabilityadmin:ListTelemetryPipelines\",\"observabilityadmin:"
        "TestTelemetryPipeline\",\"observabilityadmin:ValidateTelemetryPipelineConfiguration\","
        "\"observabilityadmin:GetS3TableIntegration\",\"observabilityadmin:"
        "ListS3TableIntegrations\",\"sns:Get*\",\"sns:List*\",\"rum:BatchGet*\",\"rum:Get*\",\"rum:"
        "List*\",\"synthetics:Describe*\",\"synthetics:Get*\",\"synthetics:List*\",\"xray:BatchGet*"
        "\",\"xray:Get*\",\"xray:List*\",\"xray:StartTraceRetrieval\",\"xray:"
        "CancelTraceRetrieval\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
        "\"CloudWatchReadOnlyAccessPermissions\"},{\"Action\":[\"oam:ListAttachedLinks\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:oam:*:*:sink/"
        "*\",\"Sid\":\"OAMReadPermissions\"},{\"Action\":\"iam:GetRole\",\"Effect\":\"Allow\","
        "\"Resource\":\"arn:aws:iam::*:role/aws-service-role/"
        "application-signals.cloudwatch.amazonaws.com/"
        "AWSServiceRoleForCloudWatchApplicationSignals\",\"Sid\":"
        "\"CloudWatchReadOnlyGetRolePermissions\"},{\"Action\":[\"cloudtrail:GetChannel\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:cloudtrail:*:*:channel/aws-service-channel/"
        "application-signals/"
        "*\",\"Sid\":\"CloudWatchCloudTrailPermissions\"},{\"Action\":[\"servicequotas:"
        "GetServiceQuota\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:servicequotas:*:*:s3/"
        "*\",\"arn:aws:servicequotas:*:*:dynamodb/*\",\"arn:aws:servicequotas:*:*:kinesis/"
        "*\",\"arn:aws:servicequotas:*:*:sns/*\",\"arn:aws:servicequotas:*:*:bedrock/"
        "*\",\"arn:aws:servicequotas:*:*:lambda/*\",\"arn:aws:servicequotas:*:*:fargate/"
        "*\",\"arn:aws:servicequotas:*:*:elasticloadbalancing/*\",\"arn:aws:servicequotas:*:*:ec2/"
        "*\"],\"Sid\":\"CloudWatchServiceQuotaPermissions\"},{\"Action\":[\"resource-explorer-2:"
        "ListIndexes\",\"resource-explorer-2:Search\"],\"Effect\":\"Allow\",\"Resource\":[\"arn:"
        "aws:resource-explorer-2:*::view/AWSServiceViewForApplicationSignals/"
        "service-view\",\"arn:aws:resource-explorer-2:*::view/"
        "AWSServiceViewForApplicationSignalsOrgScopeProd/"
        "service-view\"],\"Sid\":\"CloudWatchResourceExplorerPermissions\"}]}"),
    AWS_POLICY("ComprehendFullAccess", "/", "ANPAUM53DO5JKLLHXG24B", "v2", 1511978923000,
               1512437784000,
               "{\"Statement\":[{\"Action\":[\"comprehend:*\",\"s3:ListAllMyBuckets\",\"s3:"
               "ListBucket\",\"s3:GetBucketLocation\",\"iam:ListRoles\",\"iam:GetRole\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("DataScientist", "/job-function/", "ANPACT54C5UKOE3WP6BJQ", "v1", 1478798928000,
               1478798928000, iam_aws_data_scientist),
    AWS_POLICY("DatabaseAdministrator", "/job-function/", "ANPAECQKZHVFQKTYEZQFZ", "v1",
               1478798743000, 1478798743000, iam_aws_database_administrator),
    AWS_POLICY(
        "IAMAccessAdvisorReadOnly", "/", "ANPAL5ZCTEXS5DP7H5ZQQ", "v1", 1561145625000,
        1561145625000,
        "{\"Statement\":[{\"Action\":[\"iam:ListRoles\",\"iam:ListUsers\",\"iam:ListGroups\",\"iam:"
        "ListPolicies\",\"iam:ListPoliciesGrantingServiceAccess\",\"iam:"
        "GenerateServiceLastAccessedDetails\",\"iam:GenerateOrganizationsAccessReport\",\"iam:"
        "GenerateCredentialReport\",\"iam:GetRole\",\"iam:GetPolicy\",\"iam:"
        "GetServiceLastAccessedDetails\",\"iam:GetServiceLastAccessedDetailsWithEntities\",\"iam:"
        "GetOrganizationsAccessReport\",\"organizations:DescribeAccount\",\"organizations:"
        "DescribeOrganization\",\"organizations:DescribeOrganizationalUnit\",\"organizations:"
        "DescribePolicy\",\"organizations:ListChildren\",\"organizations:ListParents\","
        "\"organizations:ListPoliciesForTarget\",\"organizations:ListRoots\",\"organizations:"
        "ListPolicies\",\"organizations:ListTargetsForPolicy\"],\"Effect\":\"Allow\",\"Resource\":"
        "\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "IAMFullAccess", "/", "ANPATMJ5T63DJOLG2WPDQ", "v2", 1423248038000, 1561146000000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"iam:*\",\"organizations:"
        "DescribeAccount\",\"organizations:DescribeOrganization\",\"organizations:"
        "DescribeOrganizationalUnit\",\"organizations:DescribePolicy\",\"organizations:"
        "ListChildren\",\"organizations:ListParents\",\"organizations:ListPoliciesForTarget\","
        "\"organizations:ListRoots\",\"organizations:ListPolicies\",\"organizations:"
        "ListTargetsForPolicy\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY("IAMReadOnlyAccess", "/", "ANPALX6RHJC5OXFALFNF6", "v4", 1423248039000,
               1516907487000,
               "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"iam:"
               "GenerateCredentialReport\",\"iam:GenerateServiceLastAccessedDetails\",\"iam:Get*\","
               "\"iam:List*\",\"iam:SimulateCustomPolicy\",\"iam:SimulatePrincipalPolicy\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"),
    AWS_POLICY("IAMSelfManageServiceSpecificCredentials", "/", "ANPATGCWG4MJ4TTTA6WMT", "v1",
               1482427518000, 1482427518000,
               "{\"Statement\":[{\"Action\":[\"iam:CreateServiceSpecificCredential\",\"iam:"
               "ListServiceSpecificCredentials\",\"iam:UpdateServiceSpecificCredential\",\"iam:"
               "DeleteServiceSpecificCredential\",\"iam:ResetServiceSpecificCredential\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:user/"
               "${aws:username}\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("IAMUserChangePassword", "/", "ANPAHZ5YXBTNYEK4C6QPP", "v5", 1479169516000,
               1770919137000,
               "{\"Statement\":[{\"Action\":[\"iam:ChangePassword\"],\"Effect\":\"Allow\","
               "\"Resource\":[\"arn:aws:iam::*:user/${aws:username}\",\"arn:aws:iam::*:user/*/"
               "${aws:username}\"]},{\"Action\":[\"iam:GetAccountPasswordPolicy\"],\"Effect\":"
               "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("IAMUserSSHKeys", "/", "ANPAU5NUD32XP65GQ6JZA", "v1", 1436461734000, 1436461734000,
               "{\"Statement\":[{\"Action\":[\"iam:DeleteSSHPublicKey\",\"iam:GetSSHPublicKey\","
               "\"iam:ListSSHPublicKeys\",\"iam:UpdateSSHPublicKey\",\"iam:UploadSSHPublicKey\"],"
               "\"Effect\":\"Allow\",\"Resource\":\"arn:aws:iam::*:user/"
               "${aws:username}\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("NetworkAdministrator", "/job-function/", "ANPATDF2TTDITL7PISGGU", "v1",
               1478799095000, 1478799095000, iam_aws_network_administrator),
    AWS_POLICY(
        "PowerUserAccess", "/", "ANPALHG27PL3YBRYSN4HT", "v12", 1423247987000, 1770919154000,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\","
        "\"organizations:*\",\"account:*\"],\"Resource\":\"*\"},{\"Action\":[\"account:"
        "GetAccountInformation\",\"account:GetGovCloudAccountInformation\",\"account:"
        "GetPrimaryEmail\",\"account:ListRegions\",\"iam:CreateServiceLinkedRole\",\"iam:"
        "DeleteServiceLinkedRole\",\"iam:ListRoles\",\"organizations:DescribeEffectivePolicy\","
        "\"organizations:DescribeOrganization\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"),
    /* Of the services that are here: AWS's own goes on for hundreds of others. */
    AWS_POLICY("ReadOnlyAccess", "/", "ANPAQ7WEIRREADONLY2XA", "v1", 1423247988000, 1423247988000,
               iam_aws_read_only_access),
    AWS_POLICY(
        "ResourceGroupsandTagEditorFullAccess", "/", "ANPA4XLNNX5HNERCSMKBR", "v6", 1423247993000,
        1691674159000,
        "{\"Statement\":[{\"Action\":[\"tag:getResources\",\"tag:getTagKeys\",\"tag:getTagValues\","
        "\"tag:TagResources\",\"tag:UntagResources\",\"resource-groups:*\",\"cloudformation:"
        "DescribeStacks\",\"cloudformation:ListStackResources\",\"cloudformation:ListStacks\"],"
        "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY(
        "ResourceGroupsandTagEditorReadOnlyAccess", "/", "ANPANAEIBX66GTIXGDWKT", "v3",
        1423247994000, 1691674978000,
        "{\"Statement\":[{\"Action\":[\"tag:getResources\",\"tag:getTagKeys\",\"tag:getTagValues\","
        "\"resource-groups:Get*\",\"resource-groups:List*\",\"resource-groups:Search*\","
        "\"cloudformation:DescribeStacks\",\"cloudformation:ListStackResources\",\"cloudformation:"
        "ListStacks\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("SecretsManagerReadWrite", "/", "ANPAGSUMYPFSTAJVF7JUQ", "v5", 1522865129000,
               1708625526000,
               "{\"Statement\":[{\"Action\":[\"secretsmanager:*\",\"cloudformation:"
               "CreateChangeSet\",\"cloudformation:DescribeChangeSet\",\"cloudformation:"
               "DescribeStackResource\",\"cloudformation:DescribeStacks\",\"cloudformation:"
               "ExecuteChangeSet\",\"docdb-elastic:GetCluster\",\"docdb-elastic:ListClusters\","
               "\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:DescribeVpcs\",\"kms:"
               "DescribeKey\",\"kms:ListAliases\",\"kms:ListKeys\",\"lambda:ListFunctions\",\"rds:"
               "DescribeDBClusters\",\"rds:DescribeDBInstances\",\"redshift:DescribeClusters\","
               "\"redshift-serverless:ListWorkgroups\",\"redshift-serverless:GetNamespace\",\"tag:"
               "GetResources\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Sid\":"
               "\"BasePermissions\"},{\"Action\":[\"lambda:AddPermission\",\"lambda:"
               "CreateFunction\",\"lambda:GetFunction\",\"lambda:InvokeFunction\",\"lambda:"
               "UpdateFunctionConfiguration\"],\"Effect\":\"Allow\",\"Resource\":\"arn:aws:lambda:*"
               ":*:function:SecretsManager*\",\"Sid\":\"LambdaPermissions\"},{\"Action\":["
               "\"serverlessrepo:CreateCloudFormationChangeSet\",\"serverlessrepo:GetApplication\"]"
               ",\"Effect\":\"Allow\",\"Resource\":\"arn:aws:serverlessrepo:*:*:applications/"
               "SecretsManager*\",\"Sid\":\"SARPermissions\"},{\"Action\":[\"s3:GetObject\"],"
               "\"Effect\":\"Allow\",\"Resource\":[\"arn:aws:s3:::awsserverlessrepo-changesets*\","
               "\"arn:aws:s3:::secrets-manager-rotation-apps-*/"
               "*\"],\"Sid\":\"S3Permissions\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("SecurityAudit", "/", "ANPAXIJTH3YRWWJF75V54", "v1", 1423248061000, 1423248061000,
               iam_aws_security_audit),
    AWS_POLICY("SupportUser", "/job-function/", "ANPAY56AW43Y53TP6YSQA", "v1", 1478798513000,
               1478798513000, iam_aws_support_user),
    AWS_POLICY("SystemAdministrator", "/job-function/", "ANPAURNK53CVJTEGSQY64", "v1",
               1478798636000, 1478798636000, iam_aws_system_administrator),
    AWS_POLICY(
        "TranslateFullAccess", "/", "ANPA5O6I5QQKRBFBHEPJO", "v2", 1543361780000, 1578518547000,
        "{\"Statement\":[{\"Action\":[\"translate:*\",\"comprehend:DetectDominantLanguage\","
        "\"cloudwatch:GetMetricStatistics\",\"cloudwatch:ListMetrics\",\"s3:ListAllMyBuckets\","
        "\"s3:ListBucket\",\"s3:GetBucketLocation\",\"iam:ListRoles\",\"iam:GetRole\"],\"Effect\":"
        "\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"),
    AWS_POLICY("ViewOnlyAccess", "/job-function/", "ANPACTUSU32PAVB7OGTC7", "v1", 1478798415000,
               1478798415000, iam_aws_view_only_access),
};

const size_t iam_n_aws_policies = ARRAY_LEN(iam_aws_policies);
