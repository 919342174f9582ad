/* Limits of SAM's transform, each at its edge and one past it, by templates that ask for much with few words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "template/sam.h"
#include "template/template.h"

enum { ARENA_MAX = 1 << 30, TEXT_MAX = 8 << 20 };

#define HEAD "{\"Transform\":\"AWS::Serverless-2016-10-31\","
#define FUNCTION                                                                                   \
    "{\"Type\":\"AWS::Serverless::Function\",\"Properties\":{\"Runtime\":\"r\",\"Handler\":\"h\"," \
    "\"InlineCode\":\"c\""

/* Each writes a template that is `n` large. */
static void queues(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{");
    for (int i = 0; i < n; i++)
        buf_add_fmt(b, "%s\"Q%d\":{\"Type\":\"AWS::SQS::Queue\"}", i ? "," : "", i);
    BUF_ADD_LIT(b, "}}");
}

/* A function is two resources. */
static void functions(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{");
    for (int i = 0; i < n; i++)
        buf_add_fmt(b, "%s\"F%d\":" FUNCTION "}}", i ? "," : "", i);
    BUF_ADD_LIT(b, "}}");
}

static void events(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{\"F\":" FUNCTION ",\"Events\":{");
    for (int i = 0; i < n; i++)
        buf_add_fmt(b, "%s\"E%d\":{\"Type\":\"HttpApi\"}", i ? "," : "", i);
    BUF_ADD_LIT(b, "}}}}}");
}

/* Each adds a path and a method to the definition of one API, and a permission. */
static void api_events(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{\"F\":" FUNCTION ",\"Events\":{");
    for (int i = 0; i < n; i++)
        buf_add_fmt(b,
                    "%s\"E%d\":{\"Type\":\"Api\",\"Properties\":{\"Path\":\"/p%d/{id}\","
                    "\"Method\":\"get\"}}",
                    i ? "," : "", i, i);
    BUF_ADD_LIT(b, "}}}}}");
}

static void members(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{\"F\":" FUNCTION ",\"Environment\":{\"Variables\":{");
    for (int i = 0; i < n; i++)
        buf_add_fmt(b, "%s\"V%d\":1", i ? "," : "", i);
    BUF_ADD_LIT(b, "}}}}}}");
}

/* 200 functions, each with what Globals give: `n` layers, in lists that are joined. */
static void globals(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Globals\":{\"Function\":{\"Layers\":[");
    for (int i = 0; i < n; i++)
        buf_add_c(b, i ? ",1" : "1");
    BUF_ADD_LIT(b, "]}},\"Resources\":{");
    for (int i = 0; i < 200; i++)
        buf_add_fmt(b, "%s\"F%d\":" FUNCTION ",\"Layers\":[2]}}", i ? "," : "", i);
    BUF_ADD_LIT(b, "}}");
}

/* A text that names a parameter of 4,096 bytes `n` times. */
static void texts(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Parameters\":{\"P\":{\"Type\":\"String\",\"Default\":\"");
    for (int i = 0; i < 4096; i++)
        buf_add_byte(b, 'x');
    BUF_ADD_LIT(b, "\"}},\"Resources\":{\"F\":" FUNCTION ",\"Tracing\":{\"Fn::Sub\":\"");
    for (int i = 0; i < n; i++)
        BUF_ADD_LIT(b, "${P}");
    BUF_ADD_LIT(b, "\"}}}}}");
}

/* A function at fault each. */
static void faults(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{\"F\":" FUNCTION ",\"Events\":{");
    for (int i = 0; i < n; i++)
        buf_add_fmt(b, "%s\"E%d\":{\"Type\":\"Api\",\"Properties\":1}", i ? "," : "", i);
    BUF_ADD_LIT(b, "}}}}}");
}

/* A definition that is copied for each event that insists on its own authorizer. */
static void copies(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{\"A\":{\"Type\":\"AWS::Serverless::Api\",\"Properties\":{"
                        "\"StageName\":\"s\",\"DefinitionBody\":{\"swagger\":2,\"paths\":{\"/p\":{"
                        "\"get\":{}}},\"x\":[");
    for (int i = 0; i < 240000; i++)
        buf_add_c(b, i ? ",{}" : "{}");
    BUF_ADD_LIT(b, "]}}},\"F\":" FUNCTION ",\"Events\":{");
    for (int i = 0; i < n; i++)
        buf_add_fmt(
            b,
            "%s\"E%d\":{\"Type\":\"Api\",\"Properties\":{\"Path\":\"/p\",\"Method\":\"get\","
            "\"RestApiId\":{\"Ref\":\"A\"},\"Auth\":{\"OverrideApiAuth\":true,"
            "\"ApiKeyRequired\":true}}}",
            i ? "," : "", i);
    BUF_ADD_LIT(b, "}}}}}");
}

/* Deep as far as a template may be: the transform puts no level of its own around what a user nests. */
static void depth(struct buf *b, int n)
{
    BUF_ADD_LIT(b, HEAD "\"Resources\":{\"A\":{\"Type\":\"AWS::Serverless::Api\",\"Properties\":{"
                        "\"StageName\":\"s\",\"DefinitionBody\":");
    for (int i = 0; i < n; i++)
        BUF_ADD_LIT(b, "{\"a\":");
    BUF_ADD_LIT(b, "1");
    for (int i = 0; i < n; i++)
        BUF_ADD_LIT(b, "}");
    BUF_ADD_LIT(b, "}}}}");
}

static const struct {
    const char *name;
    void (*write)(struct buf *b, int n);
    int n;
    const char *fault; /* a part of what is told; NULL: it goes through */
} rows[] = {
    {"resources", queues, SAM_RESOURCES_MAX, NULL},
    {"resources too many", queues, SAM_RESOURCES_MAX + 1, "It has more than 500 resources."},
    {"expanded", functions, SAM_RESOURCES_MAX / 2, NULL},
    {"expanded too many", functions, SAM_RESOURCES_MAX / 2 + 1,
     "It expands to more than 500 resources."},
    {"events", events, SAM_EVENTS_MAX, "Events of type HttpApi are not supported."},
    {"events too many", events, SAM_EVENTS_MAX + 1, "It has more than 500 events."},
    {"Api events", api_events, SAM_RESOURCES_MAX - 5, NULL},
    {"Api events too many", api_events, SAM_RESOURCES_MAX - 4,
     "It expands to more than 500 resources."},
    {"members", members, SAM_MEMBERS_MAX, NULL},
    {"members too many", members, SAM_MEMBERS_MAX + 1,
     "It expands to more than 4000 members of one map."},
    {"values", globals, 800, NULL},
    {"values too many", globals, 5000, "It expands to more than 1000000 values."},
    {"bytes", texts, SAM_BYTES_MAX / 4096 - 8, NULL},
    {"bytes too many", texts, SAM_BYTES_MAX / 4096 + 1, "It expands to more than 16777216 bytes"},
    {"faults", faults, SAM_EVENTS_MAX, "Number of errors found: 500."},
    {"faults too many", faults, SAM_FAULTS_MAX + 1, "Number of errors found: 1000."},
    {"copies", copies, 8, NULL},
    {"copies too many", copies, 24, "It expands to more than 8388608 values put in order."},
    {"depth", depth, 64, NULL},
};

static void test_edges(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct buf b;
        struct json *tree, *got = NULL;
        struct sam_fault fault = {STR_NONE};
        struct sam_world world = {.region = STR("eu-west-1"), .partition = STR("aws")};
        arena_init(&a, ARENA_MAX);
        buf_init_arena(&b, &a, TEXT_MAX);
        rows[i].write(&b, rows[i].n);
        assert_int_equal(buf_err(&b), ERR_OK);
        assert_int_equal(json_parse(&a, buf_str(&b), &tree, NULL), ERR_OK);
        enum err err = sam_transform(&a, tree, &world, &got, &fault);
        bool good = rows[i].fault
                        ? err && str_find_str(fault.message, str_c(rows[i].fault)) != SIZE_MAX
                        : !err && got;
        if (!good)
            fail_msg("%s: %s: %.*s", rows[i].name, err_name(err),
                     (int)(fault.message.len > 500 ? 500 : fault.message.len), fault.message.p);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
