/* What stack commands print, credentials of a file, options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/options.h"
#include "cli/show.h"

/* A file in memory. */
struct page {
    FILE *out;
    char *text;
    size_t len;
};

static void open_page(struct page *p)
{
    p->out = open_memstream(&p->text, &p->len);
    assert_non_null(p->out);
}

static void is_page(struct page *p, const char *want)
{
    fclose(p->out);
    assert_string_equal(p->text, want);
    free(p->text); // NOLINT: open_memstream's
}

static struct stack_event event(const char *logical, const char *status, const char *reason)
{
    bool stack = logical[0] == '/';
    return (struct stack_event){
        .logical = str_c(logical + stack),
        .physical = str_c(stack ? "arn:s" : "x"),
        .type = str_c(stack ? "AWS::CloudFormation::Stack" : "AWS::SQS::Queue"),
        .status = str_c(status),
        .reason = str_c(reason),
    };
}

static void play(struct show *show, size_t n, const struct stack_event *events)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(show_event(show, &events[i]), ERR_OK);
        show_draw(show);
    }
}

static void lines(void **state)
{
    struct arena a;
    struct show show;
    struct page page;
    const struct stack_event events[] = {
        event("/s", "UPDATE_IN_PROGRESS", "User Initiated"),
        event("A", "UPDATE_IN_PROGRESS", NULL),
        event("B", "CREATE_IN_PROGRESS", NULL),
        event("A", "UPDATE_COMPLETE", NULL),
        event("B", "CREATE_FAILED", "no\x1b[2J way"),
        event("C", "CREATE_FAILED", "Resource creation cancelled"),
        event("/s", "UPDATE_ROLLBACK_IN_PROGRESS", NULL),
        event("A", "UPDATE_COMPLETE", NULL),
        event("B", "DELETE_COMPLETE", NULL),
        event("/s", "UPDATE_ROLLBACK_COMPLETE", NULL),
    };
    arena_init(&a, 1 << 20);
    open_page(&page);
    assert_int_equal(show_init(&show, &a, page.out, STR("arn:s")), ERR_OK);
    play(&show, ARRAY_LEN(events), events);
    assert_true(str_eq_c(show.status, "UPDATE_ROLLBACK_COMPLETE"));
    show_failure(&show, STR("s"));
    is_page(&page, "s  AWS::CloudFormation::Stack  UPDATE_IN_PROGRESS  User Initiated\n"
                   "A  AWS::SQS::Queue  UPDATE_IN_PROGRESS\n"
                   "B  AWS::SQS::Queue  CREATE_IN_PROGRESS\n"
                   "A  AWS::SQS::Queue  UPDATE_COMPLETE\n"
                   "B  AWS::SQS::Queue  CREATE_FAILED  no [2J way\n"
                   "C  AWS::SQS::Queue  CREATE_FAILED  Resource creation cancelled\n"
                   "s  AWS::CloudFormation::Stack  UPDATE_ROLLBACK_IN_PROGRESS\n"
                   "A  AWS::SQS::Queue  UPDATE_COMPLETE\n"
                   "B  AWS::SQS::Queue  DELETE_COMPLETE\n"
                   "s  AWS::CloudFormation::Stack  UPDATE_ROLLBACK_COMPLETE\n"
                   "weir: s is UPDATE_ROLLBACK_COMPLETE: it is what it was before\n"
                   "  B  AWS::SQS::Queue  CREATE_FAILED  no [2J way\n"
                   "  rolled back: A, B\n");
    arena_release(&a);
}

static void a_table_in_its_place(void **state)
{
    struct arena a;
    struct show show;
    struct page page;
    const struct stack_event events[] = {
        event("Queue", "CREATE_IN_PROGRESS", NULL),
        event("A", "CREATE_COMPLETE", NULL),
        event("Queue", "CREATE_FAILED", "a reason that is longer than the line is wide"),
    };
    arena_init(&a, 1 << 20);
    open_page(&page);
    assert_int_equal(show_init(&show, &a, page.out, STR("arn:s")), ERR_OK);
    show.terminal = true;
    show.width = 60;
    play(&show, 2, events);
    show.height = 3; /* too low for what is done */
    play(&show, 1, events + 2);
    is_page(&page, "Queue  CREATE_IN_PROGRESS           AWS::SQS::Queue\n"
                   "\x1b[1A\x1b[J"
                   "Queue  CREATE_IN_PROGRESS           AWS::SQS::Queue\n"
                   "A      CREATE_COMPLETE              AWS::SQS::Queue\n"
                   "\x1b[2A\x1b[J"
                   "Queue  CREATE_FAILED                a reason that is longer\n"
                   "(and 1 more)\n");
    arena_release(&a);
}

static const struct xml *parse(struct arena *a, const char *text)
{
    struct xml *xml = NULL;
    assert_int_equal(xml_parse(a, str_c(text), &xml, NULL), ERR_OK);
    return xml;
}

static void outputs(void **state)
{
    struct arena a;
    struct page page;
    arena_init(&a, 1 << 20);
    struct stack stack = {.name = STR("s")};
    stack.outputs = parse(
        &a,
        "<Outputs><member><OutputKey>ApiUrl</OutputKey><OutputValue>"
        "https://abc.execute-api.us-east-1.amazonaws.com/prod/jobs</OutputValue><Description>where"
        "</Description></member><member><OutputKey>DLQArn2</OutputKey><OutputValue>a 'b'"
        "</OutputValue></member></Outputs>");
    open_page(&page);
    assert_int_equal(show_outputs(&a, page.out, &stack, STR("http://h:1"), false), ERR_OK);
    assert_int_equal(show_outputs(&a, page.out, &stack, STR_NONE, true), ERR_OK);
    is_page(&page, "Outputs of s:\n"
                   "  ApiUrl   http://h:1/restapis/abc/prod/_user_request_/jobs  (where)\n"
                   "  DLQArn2  a 'b'\n"
                   "API_URL=https://abc.execute-api.us-east-1.amazonaws.com/prod/jobs\n"
                   "DLQ_ARN2='a '\\''b'\\'''\n");
    arena_release(&a);
}

static void addresses(void **state)
{
    static const struct {
        const char *value, *shown;
    } rows[] = {
        {"https://i.execute-api.r.amazonaws.com/p", "http://h/restapis/i/p/_user_request_"},
        {"https://i.execute-api.r.amazonaws.com/p/", "http://h/restapis/i/p/_user_request_/"},
        {"https://i.execute-api.r.amazonaws.com", "https://i.execute-api.r.amazonaws.com"},
        {"https://example.com/x.execute-api.y", "https://example.com/x.execute-api.y"},
        {"arn:aws:execute-api:r:1:i/p", "arn:aws:execute-api:r:1:i/p"},
        {"", ""},
    };
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str shown;
        assert_int_equal(show_address(&a, str_c(rows[i].value), STR("http://h"), &shown), ERR_OK);
        assert_true(str_eq_c(shown, rows[i].shown));
    }
    arena_release(&a);
}

static void changes(void **state)
{
    struct arena a;
    struct page page;
    struct show_counts counts = {0};
    arena_init(&a, 1 << 20);
    const struct xml *list = parse(
        &a,
        "<Changes><member><ResourceChange><Action>Add</Action><LogicalResourceId>N</"
        "LogicalResourceId>"
        "<ResourceType>T</ResourceType></ResourceChange></member>"
        "<member><ResourceChange><Action>Modify</Action><LogicalResourceId>Q</LogicalResourceId>"
        "<ResourceType>T</ResourceType><Replacement>True</Replacement><Details>"
        "<member><Target><Attribute>Properties</Attribute><Name>Size</Name><Path>/Properties/Size/0"
        "</Path><BeforeValue>1</BeforeValue><AfterValue>2</AfterValue><RequiresRecreation>Always"
        "</RequiresRecreation></Target></member>"
        "<member><Target><Attribute>Tags</Attribute></Target><CausingEntity>P</CausingEntity></"
        "member>"
        "<member><Target><Attribute>Tags</Attribute></Target></member>"
        "</Details></ResourceChange></member>"
        "<member><ResourceChange><Action>Remove</Action><LogicalResourceId>O</LogicalResourceId>"
        "<ResourceType>T</ResourceType></ResourceChange></member></Changes>");
    open_page(&page);
    show_changes(page.out, list, &counts);
    show_counted(page.out, &counts);
    is_page(&page, "  + N  T\n"
                   "  ~ Q  T  (replaced)\n"
                   "      Size/0: 1 -> 2 [needs a new resource]\n"
                   "      Tags (by P)\n"
                   "  - O  T\n"
                   "1 to add, 1 to change (1 replaced), 1 to remove\n");
    arena_release(&a);
}

static void keys_of_a_profile(void **state)
{
    static const struct str text = STR_INIT(
        "[default]\naws_access_key_id = A\naws_secret_access_key=B=\n\n# c\n[ other ]\r\n"
        "aws_access_key_id=C\r\naws_secret_access_key=D\r\naws_session_token = E\r\n[half]\n"
        "aws_access_key_id=F");
    struct arena a;
    struct aws_keys keys;
    arena_init(&a, 1 << 20);
    assert_int_equal(aws_keys_read(&a, text, STR("default"), &keys), ERR_OK);
    assert_true(str_eq_c(keys.access_key, "A") && str_eq_c(keys.secret, "B="));
    assert_false(str_is_set(keys.session_token));
    assert_int_equal(aws_keys_read(&a, text, STR("other"), &keys), ERR_OK);
    assert_true(str_eq_c(keys.secret, "D") && str_eq_c(keys.session_token, "E"));
    assert_int_equal(aws_keys_read(&a, text, STR("half"), &keys), ERR_NOT_FOUND);
    assert_int_equal(aws_keys_read(&a, text, STR("none"), &keys), ERR_NOT_FOUND);
    arena_release(&a);
}

static void words_among_options(void **state)
{
    static const char *word, *name;
    static bool flag;
    static struct option_list list;
    static const struct option table[] = {
        {"PATH", OPTION_WORD, &word, NULL, "", 0, 0},
        {"--name", OPTION_TEXT, &name, "N", "", 0, 0},
        {"--yes", OPTION_FLAG, &flag, NULL, "", 0, 0},
        {"-p", OPTION_LIST, &list, "K=V", "", 0, 0},
    };
    static const struct {
        const char *argv[5];
        int argc;
        enum err err;
    } rows[] = {
        {{"dir", "--name", "x", "--yes"}, 4, ERR_OK},
        {{"--yes", "dir", "--name=x"}, 3, ERR_OK},
        {{"-p", "a=b", "dir", "-p", "c=d=e"}, 5, ERR_OK},
        {{"dir", "dir"}, 2, ERR_INVALID},
        {{"--name"}, 1, ERR_INVALID},
        {{"--no"}, 1, ERR_INVALID},
        {{"--yes=1"}, 1, ERR_INVALID},
        {{"-p"}, 1, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct page page;
        word = name = NULL;
        flag = false;
        list.n = 0;
        open_page(&page);
        assert_int_equal(
            options_parse(table, ARRAY_LEN(table), rows[i].argc, (char **)rows[i].argv, page.out),
            rows[i].err);
        fclose(page.out);
        free(page.text); // NOLINT: open_memstream's
        if (!rows[i].err)
            assert_string_equal(word, "dir");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(a_table_in_its_place),
        cmocka_unit_test(outputs),
        cmocka_unit_test(addresses),
        cmocka_unit_test(changes),
        cmocka_unit_test(keys_of_a_profile),
        cmocka_unit_test(words_among_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
