#include "main/stacks.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/deploy.h"
#include "main/running.h"

static struct deploy_options told;
static const char *data;

static const char endpoint_help[] = "Where CloudFormation, S3 and STS are, or aws; default: "
                                    "AWS_ENDPOINT_URL_CLOUDFORMATION and so on, "
                                    "AWS_ENDPOINT_URL, the Weir of --data, 127.0.0.1:4566.";
static const char region_help[] = "AWS_REGION, AWS_DEFAULT_REGION, else the Weir's own.";
static const char data_help[] =
    "Folder of the Weir that is meant when no endpoint is given; WEIR_DATA, else .weir/data.";
static const char template_help[] =
    "CloudFormation or SAM template, YAML or JSON, or the folder with template.yaml.";
static const char stack_help[] = "Name of the stack; default: that of the template's folder.";
static const char parameter_help[] =
    "A parameter of the template; those not given keep their value, at first their default.";
static const char capabilities_help[] =
    "What the template may do; default CAPABILITY_IAM,CAPABILITY_NAMED_IAM,CAPABILITY_AUTO_EXPAND; "
    "none: "
    "only what needs none.";
static const char bucket_help[] = "Where code and long templates are put; default "
                                  "weir-deploy-ACCOUNT-REGION, made when it is needed.";

static const struct option deploy_table[] = {
    {"TEMPLATE", OPTION_WORD, &told.path, NULL, template_help, 0, 0},
    {"--stack", OPTION_TEXT, &told.stack, "NAME", stack_help, 0, 0},
    {"-p", OPTION_LIST, &told.parameters, "KEY=VALUE", parameter_help, 0, 0},
    {"--capabilities", OPTION_TEXT, &told.capabilities, "NAME,...", capabilities_help, 0, 0},
    {"--bucket", OPTION_TEXT, &told.bucket, "NAME", bucket_help, 0, 0},
    {"--env", OPTION_FLAG, &told.for_shell, NULL,
     "Print the outputs as lines for a shell: ApiUrl is API_URL=...", 0, 0},
    {"--endpoint", OPTION_TEXT, &told.where.endpoint, "URL", endpoint_help, 0, 0},
    {"--region", OPTION_TEXT, &told.where.region, "NAME", region_help, 0, 0},
    {"--data", OPTION_TEXT, &data, "DIR", data_help, 0, 0},
};
static const struct option diff_table[] = {
    {"TEMPLATE", OPTION_WORD, &told.path, NULL, template_help, 0, 0},
    {"--stack", OPTION_TEXT, &told.stack, "NAME", stack_help, 0, 0},
    {"-p", OPTION_LIST, &told.parameters, "KEY=VALUE", parameter_help, 0, 0},
    {"--capabilities", OPTION_TEXT, &told.capabilities, "NAME,...", capabilities_help, 0, 0},
    {"--bucket", OPTION_TEXT, &told.bucket, "NAME", bucket_help, 0, 0},
    {"--exit-code", OPTION_FLAG, &told.exit_code, NULL, "Exit with 1 when there are changes.", 0,
     0},
    {"--endpoint", OPTION_TEXT, &told.where.endpoint, "URL", endpoint_help, 0, 0},
    {"--region", OPTION_TEXT, &told.where.region, "NAME", region_help, 0, 0},
    {"--data", OPTION_TEXT, &data, "DIR", data_help, 0, 0},
};
static const struct option destroy_table[] = {
    {"STACK", OPTION_WORD, &told.path, NULL, "Its name, or where its template is.", 0, 0},
    {"--stack", OPTION_TEXT, &told.stack, "NAME", stack_help, 0, 0},
    {"--empty", OPTION_FLAG, &told.empty, NULL, "Empty its buckets first, earlier versions too.", 0,
     0},
    {"--yes", OPTION_FLAG, &told.yes, NULL, "Do not ask.", 0, 0},
    {"--endpoint", OPTION_TEXT, &told.where.endpoint, "URL", endpoint_help, 0, 0},
    {"--region", OPTION_TEXT, &told.where.region, "NAME", region_help, 0, 0},
    {"--data", OPTION_TEXT, &data, "DIR", data_help, 0, 0},
};
static const struct option list_table[] = {
    {"--endpoint", OPTION_TEXT, &told.where.endpoint, "URL", endpoint_help, 0, 0},
    {"--region", OPTION_TEXT, &told.where.region, "NAME", region_help, 0, 0},
    {"--data", OPTION_TEXT, &data, "DIR", data_help, 0, 0},
};

const struct option_table stacks_options[STACKS_COMMANDS] = {
    [STACKS_DEPLOY] = {deploy_table, ARRAY_LEN(deploy_table)},
    [STACKS_DIFF] = {diff_table, ARRAY_LEN(diff_table)},
    [STACKS_DESTROY] = {destroy_table, ARRAY_LEN(destroy_table)},
    [STACKS_LIST] = {list_table, ARRAY_LEN(list_table)},
};

/* The Weir that serves from the data folder: taken when nothing else is named, so it need not be there. */
static void find_local(const char *data_dir)
{
    static struct running r;
    static char credentials[PATH_MAX];
    if (running_read(data_dir, &r) != ERR_OK)
        return;
    told.where.local = r.at;
    told.where.local_region = r.region;
    if (r.dev_key)
        return;
    if (snprintf(credentials, sizeof(credentials), "%s/root-credentials", data_dir) <
        (int)sizeof(credentials))
        told.where.local_credentials = credentials;
}

int stacks_run(enum stacks_command command, const char *data_dir, int argc, char **argv)
{
    static int (*const run[STACKS_COMMANDS])(const struct deploy_options *options) = {
        [STACKS_DEPLOY] = deploy,
        [STACKS_DIFF] = deploy_diff,
        [STACKS_DESTROY] = deploy_destroy,
        [STACKS_LIST] = deploy_list,
    };
    told = (struct deploy_options){0};
    data = NULL;
    if (options_parse(stacks_options[command].v, stacks_options[command].n, argc, argv, stderr) !=
        ERR_OK)
        return DEPLOY_USAGE;
    find_local(data ? data : data_dir);
    return run[command](&told);
}
