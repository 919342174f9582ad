/* Services that have a role of their own in an account: its name, and the policy of AWS's that it has.
 * Facts of the services' pages on service-linked roles. Their policies are named and not here, so that
 * such a role allows nothing. A service that is not in the table gets a name made from its own.
 *
 * Layer: svc. Thread: pure. */
#include "svc/iam/iam_int.h"

#define AS ".application-autoscaling"

static const struct iam_linked linked[] = {
    {"access-analyzer", "AccessAnalyzer", "AccessAnalyzerServiceRolePolicy", false},
    {"apidestinations.events", "AmazonEventBridgeApiDestinations",
     "AmazonEventBridgeApiDestinationsServiceRolePolicy", false},
    {"autoscaling", "AutoScaling", "AutoScalingServiceRolePolicy", true},
    {"backup", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup", false},
    {"batch", "Batch", "BatchServiceRolePolicy", false},
    {"cks.kms", "KeyManagementServiceCustomKeyStores",
     "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy", false},
    {"cloudtrail", "CloudTrail", "CloudTrailServiceRolePolicy", false},
    {"cognito-idp", "AmazonCognitoIdp", "AmazonCognitoIdpServiceRolePolicy", false},
    {"config", "Config", "AWSConfigServiceRolePolicy", false},
    {"connect", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy", true},
    {"contributorinsights.dynamodb", "DynamoDBCloudWatchContributorInsights",
     "DynamoDBCloudWatchContributorInsightsServiceRolePolicy", false},
    {"custom-resource" AS, "ApplicationAutoScaling_CustomResource",
     "AWSApplicationAutoScalingCustomResourcePolicy", false},
    {"dynamodb" AS, "ApplicationAutoScaling_DynamoDBTable",
     "AWSApplicationAutoscalingDynamoDBTablePolicy", false},
    {"ecs", "ECS", "AmazonECSServiceRolePolicy", false},
    {"ecs" AS, "ApplicationAutoScaling_ECSService", "AWSApplicationAutoscalingECSServicePolicy",
     false},
    {"eks", "AmazonEKS", "AmazonEKSServiceRolePolicy", false},
    {"eks-fargate", "AmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy", false},
    {"eks-nodegroup", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup", false},
    {"elasticache", "ElastiCache", "ElastiCacheServiceRolePolicy", false},
    {"elasticbeanstalk", "ElasticBeanstalk", "AWSElasticBeanstalkServiceRolePolicy", false},
    {"elasticfilesystem", "AmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy",
     false},
    {"elasticloadbalancing", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy",
     false},
    {"elasticmapreduce", "EMRCleanup", "AmazonEMRCleanupPolicy", false},
    {"email.cognito-idp", "AmazonCognitoIdpEmailService", "AmazonCognitoIdpEmailServiceRolePolicy",
     false},
    {"es", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy", false},
    {"events", "CloudWatchEvents", "CloudWatchEventsServiceRolePolicy", false},
    {"globalaccelerator", "GlobalAccelerator", "AWSGlobalAcceleratorSLRPolicy", false},
    {"guardduty", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy", false},
    {"inspector2", "AmazonInspector2", "AmazonInspector2ServiceRolePolicy", false},
    {"kafka", "Kafka", "KafkaServiceRolePolicy", false},
    {"kinesisreplication.dynamodb", "DynamoDBKinesisDataStreamsReplication",
     "DynamoDBKinesisReplicationServiceRolePolicy", false},
    {"lambda" AS, "ApplicationAutoScaling_LambdaConcurrency",
     "AWSApplicationAutoscalingLambdaConcurrencyPolicy", false},
    {"lex", "LexBots", "AmazonLexBotPolicy", false},
    {"lexv2", "LexV2Bots", "AmazonLexV2BotPolicy", true},
    {"logger.cloudfront", "CloudFrontLogger", "AWSCloudFrontLogger", false},
    {"mrk.kms", "KeyManagementServiceMultiRegionKeys",
     "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy", false},
    {"opensearchservice", "AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy", false},
    {"ops.apigateway", "APIGateway", "APIGatewayServiceRolePolicy", false},
    {"organizations", "Organizations", "AWSOrganizationsServiceTrustPolicy", false},
    {"rds", "RDS", "AmazonRDSServiceRolePolicy", false},
    {"redshift", "Redshift", "AmazonRedshiftServiceLinkedRolePolicy", false},
    {"replication.dynamodb", "DynamoDBReplication", "DynamoDBReplicationServiceRolePolicy", false},
    {"replicator.lambda", "LambdaReplicator", "AWSLambdaReplicator", false},
    {"securityhub", "SecurityHub", "AWSSecurityHubServiceRolePolicy", false},
    {"spot", "EC2Spot", "AWSEC2SpotServiceRolePolicy", false},
    {"spotfleet", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy", false},
    {"ssm", "AmazonSSM", "AmazonSSMServiceRolePolicy", false},
    {"sso", "SSO", "AWSSSOServiceRolePolicy", false},
    {"support", "Support", "AWSSupportServiceRolePolicy", false},
    {"transitgateway", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy", false},
    {"trustedadvisor", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy", false},
    {"wafv2", "WAFV2Logging", "WAFV2LoggingServiceRolePolicy", false},
};

const struct iam_linked *iam_linked_find(struct str service)
{
    struct str end = STR(".amazonaws.com");
    if (!str_ends(service, end))
        return NULL;
    struct str short_name = str_sub(service, 0, service.len - end.len);
    for (size_t i = 0; i < sizeof(linked) / sizeof(*linked); i++)
        if (str_eq_c(short_name, linked[i].service))
            return &linked[i];
    return NULL;
}

bool iam_is_linked(const struct iam_entity *e)
{
    return e->kind == IAM_ROLE && str_starts(e->path, STR(IAM_LINKED_PATH));
}
