/* What Weir has nothing of: Contributor Insights, streaming to Kinesis, global tables. Who asks is told of tables
 * that have none of it; who wants it is refused.
 *
 * Layer: svc/dynamodb. Source: API Reference. */
#include "svc/dynamodb/dynamodb_int.h"

#define INVALID "One or more parameter values were invalid: "

/* --- Contributor Insights ------------------------------------------------------------------------- */

/* The table, and its index where one is named, are there. */
static enum err check_index(struct call *call, struct str name, struct str index,
                            struct str *ret_table)
{
    struct ddb_table *table;
    TRY(ddb_use_table(call, name, true, &table));
    *ret_table = table->name;
    if (!str_is_set(index) || ddb_table_index(table, index))
        return ERR_OK;
    return call_error(call, &dynamodb_err_resource_not_found_exception,
                      "Requested resource not found: Table: " STR_FMT " Index: " STR_FMT
                      " not found",
                      STR_ARG(table->name), STR_ARG(index));
}

enum err dynamodb_describe_contributor_insights(
    struct call *call, const struct dynamodb_describe_contributor_insights_input *in,
    struct dynamodb_describe_contributor_insights_output *out)
{
    TRY(check_index(call, in->table_name, in->index_name, &out->table_name));
    out->index_name = in->index_name;
    out->contributor_insights_status = STR("DISABLED");
    return ERR_OK;
}

enum err
dynamodb_update_contributor_insights(struct call *call,
                                     const struct dynamodb_update_contributor_insights_input *in,
                                     struct dynamodb_update_contributor_insights_output *out)
{
    TRY(check_index(call, in->table_name, in->index_name, &out->table_name));
    if (!str_eq_c(in->contributor_insights_action, "DISABLE") ||
        str_is_set(in->contributor_insights_mode))
        return ddb_refuse(call, "Contributor Insights is not supported here");
    out->index_name = in->index_name;
    out->contributor_insights_status = STR("DISABLED");
    return ERR_OK;
}

enum err
dynamodb_list_contributor_insights(struct call *call,
                                   const struct dynamodb_list_contributor_insights_input *in,
                                   struct dynamodb_list_contributor_insights_output *out)
{
    struct str name;
    if (str_is_set(in->next_token))
        return ddb_refuse(call, INVALID "NextToken is not valid");
    if (str_is_set(in->table_name))
        TRY(check_index(call, in->table_name, STR_NONE, &name));
    out->contributor_insights_summaries.v =
        ARENA_ARRAY(call->arena, struct dynamodb_contributor_insights_summary, 1);
    return out->contributor_insights_summaries.v ? ERR_OK : ERR_NOMEM;
}

/* --- Kinesis ---------------------------------------------------------------------------------------- */

enum err dynamodb_describe_kinesis_streaming_destination(
    struct call *call, const struct dynamodb_describe_kinesis_streaming_destination_input *in,
    struct dynamodb_describe_kinesis_streaming_destination_output *out)
{
    struct ddb_table *table;
    TRY(ddb_use_table(call, in->table_name, true, &table));
    out->table_name = table->name;
    out->kinesis_data_stream_destinations.v =
        ARENA_ARRAY(call->arena, struct dynamodb_kinesis_data_stream_destination, 1);
    return out->kinesis_data_stream_destinations.v ? ERR_OK : ERR_NOMEM;
}

enum err dynamodb_enable_kinesis_streaming_destination(
    struct call *call, const struct dynamodb_enable_kinesis_streaming_destination_input *in,
    struct dynamodb_enable_kinesis_streaming_destination_output *out)
{
    struct ddb_table *table;
    TRY(ddb_use_table(call, in->table_name, true, &table));
    return ddb_refuse(call, "Streaming to Kinesis is not supported here: use the table's stream");
}

enum err dynamodb_disable_kinesis_streaming_destination(
    struct call *call, const struct dynamodb_disable_kinesis_streaming_destination_input *in,
    struct dynamodb_disable_kinesis_streaming_destination_output *out)
{
    struct ddb_table *table;
    TRY(ddb_use_table(call, in->table_name, true, &table));
    return ddb_refuse(call, "Table is not in a valid state to enable Kinesis Streaming "
                            "Destination: KinesisStreamingDestination must be ACTIVE to perform "
                            "DISABLE operation.");
}

enum err dynamodb_update_kinesis_streaming_destination(
    struct call *call, const struct dynamodb_update_kinesis_streaming_destination_input *in,
    struct dynamodb_update_kinesis_streaming_destination_output *out)
{
    struct ddb_table *table;
    TRY(ddb_use_table(call, in->table_name, true, &table));
    return ddb_refuse(
        call,
        "Table is not in a valid state to enable Kinesis Streaming Destination: "
        "Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE "
        "state. TableName: " STR_FMT ", kdsArn: " STR_FMT,
        STR_ARG(table->name), STR_ARG(in->stream_arn));
}

/* --- global tables of 2017 -------------------------------------------------------------------------- */

static enum err old_version(struct call *call)
{
    return ddb_refuse(call,
                      INVALID "DynamoDB global tables version 2017.11.29 is not supported. We "
                              "recommend using DynamoDB global tables version 2019.11.21, "
                              "instead of version 2017.11.29 (Legacy).");
}

static enum err no_such(struct call *call, struct str name)
{
    return call_error(call, &dynamodb_err_global_table_not_found_exception,
                      "Global table not found: Global table with name: '" STR_FMT
                      "' does not exist.",
                      STR_ARG(name));
}

enum err dynamodb_create_global_table(struct call *call,
                                      const struct dynamodb_create_global_table_input *in,
                                      struct dynamodb_create_global_table_output *out)
{
    return old_version(call);
}

enum err dynamodb_update_global_table(struct call *call,
                                      const struct dynamodb_update_global_table_input *in,
                                      struct dynamodb_update_global_table_output *out)
{
    return old_version(call);
}

enum err dynamodb_describe_global_table(struct call *call,
                                        const struct dynamodb_describe_global_table_input *in,
                                        struct dynamodb_describe_global_table_output *out)
{
    return no_such(call, in->global_table_name);
}

enum err dynamodb_describe_global_table_settings(
    struct call *call, const struct dynamodb_describe_global_table_settings_input *in,
    struct dynamodb_describe_global_table_settings_output *out)
{
    return no_such(call, in->global_table_name);
}

enum err dynamodb_list_global_tables(struct call *call,
                                     const struct dynamodb_list_global_tables_input *in,
                                     struct dynamodb_list_global_tables_output *out)
{
    out->global_tables.v = ARENA_ARRAY(call->arena, struct dynamodb_global_table, 1);
    return out->global_tables.v ? ERR_OK : ERR_NOMEM;
}
