/* IAM, STS and CloudWatch Logs with every single failure. See help_fault.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_fault.h"

#define TRUST                                                                                      \
    "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22"    \
    "000000000000%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D"
#define OTHER_TRUST                                                                                \
    "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Deny%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22"     \
    "000000000000%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D"
#define POLICY                                                                                     \
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C"     \
    "%22Resource%22%3A%22%2A%22%2C%22Action%22%3A%22sqs%3A%2A%22%7D%7D"
#define ROLE                                                                                       \
    {                                                                                              \
        IAM("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=" TRUST)                        \
    }
#define LAMBDA_BASIC                                                                               \
    "PolicyArn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2Fservice-role%2FAWSLambdaBasicExecutionRole"
#define IDP                                                                                        \
    "OpenIDConnectProviderArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Aoidc-provider%2Fi.example.com"
#define OWN_POLICY "PolicyArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Apolicy%2Fp"
#define USER                                                                                       \
    {                                                                                              \
        IAM("Action=CreateUser&UserName=u")                                                        \
    }
#define MAKE_POLICY                                                                                \
    {                                                                                              \
        IAM("Action=CreatePolicy&PolicyName=p&PolicyDocument=" POLICY)                             \
    }
#define VERSION                                                                                    \
    {                                                                                              \
        IAM("Action=CreatePolicyVersion&" OWN_POLICY "&PolicyDocument=" POLICY)                    \
    }
#define ACCESS_KEY                                                                                 \
    {                                                                                              \
        IAM("Action=CreateAccessKey&UserName=u"), "<AccessKeyId>"                                  \
    }
#define USERS                                                                                      \
    {                                                                                              \
        IAM("Action=CreateGroup&GroupName=g")                                                      \
    }
#define PROFILE                                                                                    \
    {                                                                                              \
        IAM("Action=CreateInstanceProfile&InstanceProfileName=i")                                  \
    }
#define GROUP                                                                                      \
    {                                                                                              \
        LOGS("CreateLogGroup", "{\"logGroupName\":\"g\"}")                                         \
    }
#define STREAM                                                                                     \
    {                                                                                              \
        LOGS("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}")                \
    }
#define DELETE_GROUP                                                                               \
    {                                                                                              \
        LOGS("DeleteLogGroup", "{\"logGroupName\":\"g\"}")                                         \
    }
#define PROTECT(yes)                                                                               \
    {                                                                                              \
        LOGS("PutLogGroupDeletionProtection",                                                      \
             "{\"logGroupIdentifier\":\"g\",\"deletionProtectionEnabled\":" yes "}")               \
    }
#define EVENTS                                                                                     \
    {                                                                                              \
        LOGS("PutLogEvents", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"logEvents\":["     \
                             "{\"timestamp\":%s000,\"message\":\"one\"},"                          \
                             "{\"timestamp\":%s001,\"message\":\"two\"}]}")                        \
    }

/* The token makes it the same definition, whoever asks. */
#define DEFINITION(query)                                                                          \
    {                                                                                              \
        LOGS("PutQueryDefinition",                                                                 \
             "{\"name\":\"d\",\"clientToken\":\"0123456789abcdef0123456789abcdef0123\","           \
             "\"queryString\":\"" query "\"}")                                                     \
    }
#define ASK_DEFINITIONS                                                                            \
    {                                                                                              \
        LOGS("DescribeQueryDefinitions", "{}"), "\"queryDefinitionId\":\""                         \
    }
#define DELETE_DEFINITION                                                                          \
    {                                                                                              \
        LOGS("DeleteQueryDefinition", "{\"queryDefinitionId\":\"%s\"}")                            \
    }

static const struct fault_case cases[] = {
    {
        .name = "tag group",
        .setup = {GROUP},
        .undo = {{LOGS("UntagLogGroup", "{\"logGroupName\":\"g\",\"tags\":[\"k\"]}")}},
        .act = {LOGS("TagLogGroup", "{\"logGroupName\":\"g\",\"tags\":{\"k\":\"v\"}}")},
        .probe = {{LOGS("ListTagsLogGroup", "{\"logGroupName\":\"g\"}")}},
    },
    {
        .name = "create user",
        .undo = {{IAM("Action=DeleteUser&UserName=u")}},
        .act = {IAM("Action=CreateUser&UserName=u&Tags.member.1.Key=k&Tags.member.1.Value=v")},
        .probe = {{IAM("Action=ListUsers")}, {IAM("Action=ListUserTags&UserName=u")}},
    },
    {
        .name = "create identity provider",
        .undo = {{IAM("Action=DeleteOpenIDConnectProvider&" IDP)}},
        .act = {IAM("Action=CreateOpenIDConnectProvider&Url=https%3A%2F%2Fi.example.com"
                    "&ClientIDList.member.1=c&Tags.member.1.Key=k&Tags.member.1.Value=v")},
        .probe = {{IAM("Action=ListOpenIDConnectProviders")},
                  {IAM("Action=ListOpenIDConnectProviderTags&" IDP)}},
    },
    {
        .name = "add client to identity provider",
        .setup = {{IAM("Action=CreateOpenIDConnectProvider&Url=https%3A%2F%2Fi.example.com")}},
        .undo = {{IAM("Action=RemoveClientIDFromOpenIDConnectProvider&ClientID=c&" IDP)}},
        .act = {IAM("Action=AddClientIDToOpenIDConnectProvider&ClientID=c&" IDP)},
        .probe = {{IAM("Action=GetOpenIDConnectProvider&" IDP)}},
    },
    {
        .name = "create access key",
        .setup = {{IAM("Action=CreateUser&UserName=u")}},
        .undo = {{IAM("Action=ListAccessKeys&UserName=u"), "<AccessKeyId>"},
                 {IAM("Action=DeleteAccessKey&UserName=u&AccessKeyId=%s")}},
        .act = {IAM("Action=CreateAccessKey&UserName=u")},
        .probe = {{IAM("Action=ListAccessKeys&UserName=u")}},
    },
    {
        .name = "create role",
        .undo = {{IAM("Action=DeleteRole&RoleName=r")}},
        .act = ROLE,
        .probe = {{IAM("Action=ListRoles")}, {IAM("Action=GetRole&RoleName=r")}},
    },
    {
        .name = "put role policy",
        .setup = {ROLE},
        .undo = {{IAM("Action=DeleteRolePolicy&RoleName=r&PolicyName=p")}},
        .act = {IAM("Action=PutRolePolicy&RoleName=r&PolicyName=p&PolicyDocument=" POLICY)},
        .probe = {{IAM("Action=ListRolePolicies&RoleName=r")},
                  {IAM("Action=GetRolePolicy&RoleName=r&PolicyName=p")}},
    },
    {
        .name = "attach role policy",
        .setup = {ROLE},
        .undo = {{IAM("Action=DetachRolePolicy&RoleName=r&" LAMBDA_BASIC)}},
        .act = {IAM("Action=AttachRolePolicy&RoleName=r&" LAMBDA_BASIC)},
        .probe = {{IAM("Action=ListAttachedRolePolicies&RoleName=r")},
                  {IAM("Action=ListEntitiesForPolicy&" LAMBDA_BASIC)}},
    },
    {
        .name = "create policy",
        .undo = {{IAM("Action=DeletePolicy&PolicyArn=arn%3Aaws%3Aiam%3A%3A000000000000"
                      "%3Apolicy%2Fp")}},
        .act = {IAM("Action=CreatePolicy&PolicyName=p&PolicyDocument=" POLICY)},
        .probe = {{IAM("Action=ListPolicies&Scope=Local")}},
    },
    {
        .name = "delete role",
        .setup = {ROLE},
        .undo = {ROLE},
        .act = {IAM("Action=DeleteRole&RoleName=r")},
        .probe = {{IAM("Action=ListRoles")}},
    },
    {
        .name = "rename user",
        .setup = {USER, {IAM("Action=AttachUserPolicy&UserName=u&" LAMBDA_BASIC)}},
        .undo = {{IAM("Action=UpdateUser&UserName=v&NewUserName=u")}},
        .act = {IAM("Action=UpdateUser&UserName=u&NewUserName=v")},
        .probe = {{IAM("Action=ListUsers")}, {IAM("Action=ListEntitiesForPolicy&" LAMBDA_BASIC)}},
    },
    {
        .name = "delete user",
        .setup = {USER},
        .undo = {USER},
        .act = {IAM("Action=DeleteUser&UserName=u")},
        .probe = {{IAM("Action=ListUserTags&UserName=u")}},
    },
    {
        .name = "update access key",
        .setup = {USER, ACCESS_KEY},
        .undo = {{IAM("Action=UpdateAccessKey&UserName=u&Status=Active&AccessKeyId=%s")}},
        .act = {IAM("Action=UpdateAccessKey&UserName=u&Status=Inactive&AccessKeyId=%s")},
        .probe = {{IAM("Action=ListAccessKeys&UserName=u")}},
    },
    {
        .name = "delete role policy",
        .setup = {ROLE,
                  {IAM("Action=PutRolePolicy&RoleName=r&PolicyName=p&PolicyDocument=" POLICY)}},
        .undo = {{IAM("Action=PutRolePolicy&RoleName=r&PolicyName=p&PolicyDocument=" POLICY)}},
        .act = {IAM("Action=DeleteRolePolicy&RoleName=r&PolicyName=p")},
        .probe = {{IAM("Action=ListRolePolicies&RoleName=r")}},
    },
    {
        .name = "attach own policy",
        .setup = {ROLE, MAKE_POLICY},
        .undo = {{IAM("Action=DetachRolePolicy&RoleName=r&" OWN_POLICY)}},
        .act = {IAM("Action=AttachRolePolicy&RoleName=r&" OWN_POLICY)},
        .probe = {{IAM("Action=ListAttachedRolePolicies&RoleName=r")},
                  {IAM("Action=GetPolicy&" OWN_POLICY)}},
    },
    {
        .name = "detach own policy",
        .setup = {ROLE, MAKE_POLICY, {IAM("Action=AttachRolePolicy&RoleName=r&" OWN_POLICY)}},
        .undo = {{IAM("Action=AttachRolePolicy&RoleName=r&" OWN_POLICY)}},
        .act = {IAM("Action=DetachRolePolicy&RoleName=r&" OWN_POLICY)},
        .probe = {{IAM("Action=ListAttachedRolePolicies&RoleName=r")},
                  {IAM("Action=GetPolicy&" OWN_POLICY)}},
    },
    {
        .name = "put permissions boundary",
        .setup = {ROLE},
        .undo = {{IAM("Action=DeleteRolePermissionsBoundary&RoleName=r")}},
        .act = {IAM("Action=PutRolePermissionsBoundary&RoleName=r&PermissionsBoundary="
                    "arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FPowerUserAccess")},
        .probe = {{IAM("Action=GetRole&RoleName=r")}},
    },
    {
        .name = "delete permissions boundary",
        .setup = {ROLE,
                  MAKE_POLICY,
                  {IAM("Action=PutRolePermissionsBoundary&RoleName=r&PermissionsBoundary="
                       "arn%3Aaws%3Aiam%3A%3A000000000000%3Apolicy%2Fp")}},
        .undo = {{IAM("Action=PutRolePermissionsBoundary&RoleName=r&PermissionsBoundary="
                      "arn%3Aaws%3Aiam%3A%3A000000000000%3Apolicy%2Fp")}},
        .act = {IAM("Action=DeleteRolePermissionsBoundary&RoleName=r")},
        .probe = {{IAM("Action=GetRole&RoleName=r")}, {IAM("Action=GetPolicy&" OWN_POLICY)}},
    },
    {
        .name = "tag role",
        .setup = {ROLE},
        .undo = {{IAM("Action=UntagRole&RoleName=r&TagKeys.member.1=k")}},
        .act = {IAM("Action=TagRole&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Value=v")},
        .probe = {{IAM("Action=ListRoleTags&RoleName=r")}},
    },
    {
        .name = "untag role",
        .setup = {ROLE,
                  {IAM("Action=TagRole&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Value=v")}},
        .undo = {{IAM("Action=TagRole&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Value=v")}},
        .act = {IAM("Action=UntagRole&RoleName=r&TagKeys.member.1=k")},
        .probe = {{IAM("Action=ListRoleTags&RoleName=r")}},
    },
    {
        .name = "tag policy",
        .setup = {MAKE_POLICY},
        .undo = {{IAM("Action=UntagPolicy&" OWN_POLICY "&TagKeys.member.1=k")}},
        .act = {IAM("Action=TagPolicy&" OWN_POLICY "&Tags.member.1.Key=k&Tags.member.1.Value=v")},
        .probe = {{IAM("Action=ListPolicyTags&" OWN_POLICY)}},
    },
    {
        .name = "untag policy",
        .setup = {MAKE_POLICY,
                  {IAM("Action=TagPolicy&" OWN_POLICY
                       "&Tags.member.1.Key=k&Tags.member.1.Value=v")}},
        .undo = {{IAM("Action=TagPolicy&" OWN_POLICY
                      "&Tags.member.1.Key=k&Tags.member.1.Value=v")}},
        .act = {IAM("Action=UntagPolicy&" OWN_POLICY "&TagKeys.member.1=k")},
        .probe = {{IAM("Action=ListPolicyTags&" OWN_POLICY)}},
    },
    {
        .name = "set default policy version",
        .setup = {MAKE_POLICY, VERSION},
        .undo = {{IAM("Action=SetDefaultPolicyVersion&VersionId=v1&" OWN_POLICY)}},
        .act = {IAM("Action=SetDefaultPolicyVersion&VersionId=v2&" OWN_POLICY)},
        .probe = {{IAM("Action=ListPolicyVersions&" OWN_POLICY)}},
    },
    {
        .name = "create policy version",
        .setup = {MAKE_POLICY},
        .undo = {{IAM("Action=DeletePolicyVersion&VersionId=v2&" OWN_POLICY)},
                 {IAM("Action=DeletePolicy&" OWN_POLICY)},
                 MAKE_POLICY},
        .act = VERSION,
        .probe = {{IAM("Action=ListPolicyVersions&" OWN_POLICY)}},
    },
    {
        .name = "delete policy version",
        .setup = {MAKE_POLICY, VERSION},
        .undo = {{IAM("Action=DeletePolicyVersion&VersionId=v2&" OWN_POLICY)},
                 {IAM("Action=DeletePolicy&" OWN_POLICY)},
                 MAKE_POLICY,
                 VERSION},
        .act = {IAM("Action=DeletePolicyVersion&VersionId=v2&" OWN_POLICY)},
        .probe = {{IAM("Action=ListPolicyVersions&" OWN_POLICY)}},
    },
    {
        .name = "delete policy",
        .setup = {MAKE_POLICY},
        .undo = {MAKE_POLICY},
        .act = {IAM("Action=DeletePolicy&" OWN_POLICY)},
        .probe = {{IAM("Action=GetPolicyVersion&VersionId=v1&" OWN_POLICY)}},
    },
    {
        .name = "update role",
        .setup = {ROLE, {IAM("Action=UpdateRole&RoleName=r&Description=a")}},
        .undo = {{IAM("Action=UpdateRole&RoleName=r&Description=a")}},
        .act = {IAM("Action=UpdateRole&RoleName=r&Description=b&MaxSessionDuration=3600")},
        .probe = {{IAM("Action=GetRole&RoleName=r")}},
    },
    {
        .name = "update role description",
        .setup = {ROLE, {IAM("Action=UpdateRole&RoleName=r&Description=a")}},
        .undo = {{IAM("Action=UpdateRole&RoleName=r&Description=a")}},
        .act = {IAM("Action=UpdateRoleDescription&RoleName=r&Description=b")},
        .probe = {{IAM("Action=GetRole&RoleName=r")}},
    },
    {
        .name = "update assume role policy",
        .setup = {ROLE},
        .undo = {{IAM("Action=UpdateAssumeRolePolicy&RoleName=r&PolicyDocument=" TRUST)}},
        .act = {IAM("Action=UpdateAssumeRolePolicy&RoleName=r&PolicyDocument=" OTHER_TRUST)},
        .probe = {{IAM("Action=GetRole&RoleName=r")}},
    },
    {
        .name = "create group",
        .undo = {{IAM("Action=DeleteGroup&GroupName=g")}},
        .act = USERS,
        .probe = {{IAM("Action=ListGroups")}},
    },
    {
        .name = "add user to group",
        .setup = {USER, USERS},
        .undo = {{IAM("Action=RemoveUserFromGroup&GroupName=g&UserName=u")}},
        .act = {IAM("Action=AddUserToGroup&GroupName=g&UserName=u")},
        .probe = {{IAM("Action=GetGroup&GroupName=g")},
                  {IAM("Action=ListGroupsForUser&UserName=u")}},
    },
    {
        .name = "remove user from group",
        .setup = {USER, USERS, {IAM("Action=AddUserToGroup&GroupName=g&UserName=u")}},
        .undo = {{IAM("Action=AddUserToGroup&GroupName=g&UserName=u")}},
        .act = {IAM("Action=RemoveUserFromGroup&GroupName=g&UserName=u")},
        .probe = {{IAM("Action=GetGroup&GroupName=g")},
                  {IAM("Action=ListGroupsForUser&UserName=u")}},
    },
    {
        .name = "rename group",
        .setup = {USER,
                  USERS,
                  {IAM("Action=AddUserToGroup&GroupName=g&UserName=u")},
                  {IAM("Action=AttachGroupPolicy&GroupName=g&" LAMBDA_BASIC)}},
        .undo = {{IAM("Action=UpdateGroup&GroupName=h&NewGroupName=g")}},
        .act = {IAM("Action=UpdateGroup&GroupName=g&NewGroupName=h")},
        .probe = {{IAM("Action=ListGroupsForUser&UserName=u")},
                  {IAM("Action=ListEntitiesForPolicy&" LAMBDA_BASIC)}},
    },
    {
        .name = "delete group",
        .setup = {USERS},
        .undo = {USERS},
        .act = {IAM("Action=DeleteGroup&GroupName=g")},
        .probe = {{IAM("Action=ListAttachedGroupPolicies&GroupName=g")}},
    },
    {
        .name = "put group policy",
        .setup = {USERS},
        .undo = {{IAM("Action=DeleteGroupPolicy&GroupName=g&PolicyName=p")}},
        .act = {IAM("Action=PutGroupPolicy&GroupName=g&PolicyName=p&PolicyDocument=" POLICY)},
        .probe = {{IAM("Action=ListGroupPolicies&GroupName=g")}},
    },
    {
        .name = "create instance profile",
        .undo = {{IAM("Action=DeleteInstanceProfile&InstanceProfileName=i")}},
        .act = PROFILE,
        .probe = {{IAM("Action=ListInstanceProfiles")}},
    },
    {
        .name = "add role to instance profile",
        .setup = {ROLE, PROFILE},
        .undo = {{IAM("Action=RemoveRoleFromInstanceProfile&InstanceProfileName=i&RoleName=r")}},
        .act = {IAM("Action=AddRoleToInstanceProfile&InstanceProfileName=i&RoleName=r")},
        .probe = {{IAM("Action=GetInstanceProfile&InstanceProfileName=i")},
                  {IAM("Action=ListInstanceProfilesForRole&RoleName=r")}},
    },
    {
        .name = "remove role from instance profile",
        .setup = {ROLE,
                  PROFILE,
                  {IAM("Action=AddRoleToInstanceProfile&InstanceProfileName=i&RoleName=r")}},
        .undo = {{IAM("Action=AddRoleToInstanceProfile&InstanceProfileName=i&RoleName=r")}},
        .act = {IAM("Action=RemoveRoleFromInstanceProfile&InstanceProfileName=i&RoleName=r")},
        .probe = {{IAM("Action=GetInstanceProfile&InstanceProfileName=i")},
                  {IAM("Action=ListInstanceProfilesForRole&RoleName=r")}},
    },
    {
        .name = "create service-linked role",
        .undo = {{IAM("Action=DeleteServiceLinkedRole&RoleName=AWSServiceRoleForECS")}},
        .act = {IAM("Action=CreateServiceLinkedRole&AWSServiceName=ecs.amazonaws.com")},
        .probe = {{IAM("Action=ListRoles")}},
    },
    {
        .name = "delete service-linked role",
        .setup = {{IAM("Action=CreateServiceLinkedRole&AWSServiceName=ecs.amazonaws.com")}},
        .undo = {{IAM("Action=CreateServiceLinkedRole&AWSServiceName=ecs.amazonaws.com")}},
        .act = {IAM("Action=DeleteServiceLinkedRole&RoleName=AWSServiceRoleForECS")},
        .probe = {{IAM("Action=ListRoles")}},
    },
    {
        .name = "account alias",
        .undo = {{IAM("Action=DeleteAccountAlias&AccountAlias=abc")}},
        .act = {IAM("Action=CreateAccountAlias&AccountAlias=abc")},
        .probe = {{IAM("Action=ListAccountAliases")}},
    },
    {
        .name = "password policy",
        .undo = {{IAM("Action=DeleteAccountPasswordPolicy")}},
        .act = {IAM("Action=UpdateAccountPasswordPolicy&MinimumPasswordLength=9")},
        .probe = {{IAM("Action=GetAccountPasswordPolicy")}},
    },
    {
        .name = "login profile",
        .setup = {USER},
        .undo = {{IAM("Action=DeleteLoginProfile&UserName=u")}},
        .act = {IAM("Action=CreateLoginProfile&UserName=u&Password=Abcdefg1")},
        .probe = {{IAM("Action=GetLoginProfile&UserName=u")}},
    },
    {
        .name = "change login profile",
        .setup = {USER, {IAM("Action=CreateLoginProfile&UserName=u&Password=Abcdefg1")}},
        .undo = {{IAM("Action=DeleteLoginProfile&UserName=u")},
                 {IAM("Action=CreateLoginProfile&UserName=u&Password=Abcdefg1")}},
        .act = {IAM("Action=UpdateLoginProfile&UserName=u&Password=Bcdefgh2"
                    "&PasswordResetRequired=true")},
        .probe = {{IAM("Action=GetLoginProfile&UserName=u")}},
    },
    {
        .name = "credential report",
        .setup = {USER,
                  {IAM("Action=CreateLoginProfile&UserName=u&Password=Abcdefg1")},
                  ACCESS_KEY,
                  {IAM("Action=GenerateCredentialReport")},
                  {IAM("Action=ListUsers"), .pass_ms = 4 * 60 * 60 * 1000 + 1000}},
        .undo = {{IAM("Action=ListUsers"), .pass_ms = 4 * 60 * 60 * 1000 + 1000}}, /* too old */
        .act = {IAM("Action=GenerateCredentialReport")},
        .probe = {{IAM("Action=GetCredentialReport")}},
        .drawn = true,
    },
    {
        .name = "simulate",
        .setup = {USER,
                  USERS,
                  {IAM("Action=AddUserToGroup&GroupName=g&UserName=u")},
                  {IAM("Action=PutGroupPolicy&GroupName=g&PolicyName=p&PolicyDocument=" POLICY)}},
        .act = {IAM("Action=SimulatePrincipalPolicy&ActionNames.member.1=sqs%3AListQueues&"
                    "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Auser%2Fu")},
        .probe = {{IAM("Action=ListUsers")}},
    },
    {
        .name = "authorization details",
        .setup = {ROLE, USER, MAKE_POLICY},
        .act = {IAM("Action=GetAccountAuthorizationDetails")},
        .probe = {{IAM("Action=ListUsers")}},
    },
    {
        .name = "assume role",
        .setup = {ROLE},
        .act = {STS("Action=AssumeRole&RoleSessionName=session&RoleArn="
                    "arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fr")},
        .probe = {{IAM("Action=ListRoles")}},
    },
    {
        .name = "who am I",
        .act = {STS("Action=GetCallerIdentity")},
        .probe = {{IAM("Action=ListRoles")}},
    },
    {
        .name = "create log group",
        .undo = {DELETE_GROUP},
        .act = GROUP,
        .probe = {{LOGS("DescribeLogGroups", "{}")}},
    },
    {
        .name = "create log stream",
        .setup = {GROUP},
        .undo = {DELETE_GROUP, GROUP},
        .act = STREAM,
        .probe = {{LOGS("DescribeLogStreams", "{\"logGroupName\":\"g\"}")}},
    },
    {
        .name = "put log events",
        .setup = {GROUP, STREAM},
        .undo = {DELETE_GROUP, GROUP, STREAM},
        .act = EVENTS,
        .probe = {{LOGS("GetLogEvents", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\","
                                        "\"startFromHead\":true}")}},
    },
    {
        .name = "filter log events",
        .setup = {GROUP, STREAM, EVENTS},
        .act = {LOGS("FilterLogEvents", "{\"logGroupName\":\"g\",\"filterPattern\":\"one\"}")},
        .probe = {{LOGS("DescribeLogGroups", "{}")}},
    },
    {
        .name = "start query",
        .setup = {GROUP, STREAM, EVENTS},
        .act = {LOGS("StartQuery", "{\"logGroupName\":\"g\",\"startTime\":0,\"endTime\":9999999999,"
                                   "\"queryString\":\"fields @message | sort @message asc\"}")},
        .probe = {{LOGS("FilterLogEvents", "{\"logGroupName\":\"g\"}")}},
        .any_reply = true,
    },
    {
        .name = "start query of the groups that SOURCE finds",
        .setup = {GROUP, STREAM, EVENTS},
        .act = {LOGS("StartQuery",
                     "{\"startTime\":0,\"endTime\":9999999999,\"queryString\":\"SOURCE "
                     "logGroups(namePrefix: ['g']) | fields jsonParse(@message) as j | unnest j.a "
                     "into b | sort b.c asc\"}")},
        .probe = {{LOGS("FilterLogEvents", "{\"logGroupName\":\"g\"}")}},
        .any_reply = true,
    },
    {
        .name = "put query definition",
        .undo = {ASK_DEFINITIONS, DELETE_DEFINITION},
        .act = DEFINITION("fields @message"),
        .probe = {ASK_DEFINITIONS},
        .drawn = true,
    },
    {
        .name = "change query definition",
        .setup = {DEFINITION("fields @message")},
        .undo = {DEFINITION("fields @message")},
        .act = DEFINITION("stats count(*)"),
        .probe = {ASK_DEFINITIONS},
        .drawn = true,
    },
    {
        .name = "delete query definition",
        .setup = {DEFINITION("fields @message")},
        .undo = {DEFINITION("fields @message")},
        .before = {ASK_DEFINITIONS},
        .act = DELETE_DEFINITION,
        .probe = {ASK_DEFINITIONS},
        .drawn = true,
    },
    {
        .name = "protect log group",
        .setup = {GROUP},
        .undo = {PROTECT("false")},
        .act = PROTECT("true"),
        .probe = {{LOGS("DescribeLogGroups", "{}")}},
    },
    {
        .name = "delete log group",
        .setup = {GROUP, STREAM, EVENTS},
        .undo = {DELETE_GROUP, GROUP, STREAM, EVENTS},
        .act = DELETE_GROUP,
        .probe = {{LOGS("DescribeLogGroups", "{}")},
                  {LOGS("DescribeLogStreams", "{\"logGroupName\":\"g\"}")}},
    },
};

static void test_cases(void **state)
{
    fault_run(cases, sizeof(cases) / sizeof(*cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
