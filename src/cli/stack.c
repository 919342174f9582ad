#include "cli/stack.h"

#include <string.h>

static bool says(const struct aws_answer *answer, struct str words)
{
    return str_is_set(answer->message) && str_find_str(answer->message, words) != SIZE_MAX;
}

/* "Stack with id X does not exist", "Stack [X] does not exist". */
static enum err or_not_found(enum err err, const struct aws_answer *answer)
{
    return err == ERR_FAILED && says(answer, STR("does not exist")) ? ERR_NOT_FOUND : err;
}

/* --- stacks ---------------------------------------------------------------------------------------- */

static struct stack read_stack(const struct xml *m)
{
    struct str updated = xml_get_str(m, STR("LastUpdatedTime"));
    return (struct stack){
        .name = xml_get_str(m, STR("StackName")),
        .id = xml_get_str(m, STR("StackId")),
        .status = xml_get_str(m, STR("StackStatus")),
        .reason = xml_get_str(m, STR("StackStatusReason")),
        .description = xml_get_str(m, STR("Description")),
        .time = str_is_set(updated) ? updated : xml_get_str(m, STR("CreationTime")),
        .outputs = xml_get(m, STR("Outputs")),
        .parameters = xml_get(m, STR("Parameters")),
    };
}

enum err stack_each(struct aws *aws, struct arena *a, struct str name,
                    void (*each)(void *arg, const struct stack *stack), void *arg)
{
    struct str token = STR_NONE;
    for (int page = 0; page < STACK_PAGES_MAX; page++) {
        struct aws_form form;
        struct aws_answer answer;
        const struct xml *result;
        aws_form_init(&form, a, STR("DescribeStacks"));
        aws_field(&form, "StackName", name);
        aws_field(&form, "NextToken", token);
        enum err err = aws_call(aws, a, AWS_CLOUDFORMATION, &form, &answer, &result);
        TRY(or_not_found(err, &answer));
        XML_EACH(xml_get(result, STR("Stacks")), m)
        {
            struct stack stack = read_stack(m);
            each(arg, &stack);
        }
        token = xml_get_str(result, STR("NextToken"));
        if (str_empty(token))
            return ERR_OK;
    }
    return ERR_LIMIT;
}

static void take(void *arg, const struct stack *stack)
{
    *(struct stack *)arg = *stack;
}

enum err stack_get(struct aws *aws, struct arena *a, struct str name, struct stack *ret)
{
    struct stack found = {0};
    TRY(stack_each(aws, a, name, take, &found));
    if (!str_is_set(found.id))
        return ERR_NOT_FOUND;
    *ret = found;
    return ERR_OK;
}

bool stack_is_busy(struct str status)
{
    return str_ends(status, STR("_IN_PROGRESS")) && !str_eq_c(status, "REVIEW_IN_PROGRESS");
}

enum err stack_delete(struct aws *aws, struct arena *a, struct str name)
{
    struct aws_form form;
    struct aws_answer answer;
    const struct xml *result;
    aws_form_init(&form, a, STR("DeleteStack"));
    aws_field(&form, "StackName", name);
    return aws_call(aws, a, AWS_CLOUDFORMATION, &form, &answer, &result);
}

enum err stack_resources(struct aws *aws, struct arena *a, struct str name,
                         enum err (*each)(void *arg, struct str type, struct str physical),
                         void *arg)
{
    struct str token = STR_NONE;
    for (int page = 0; page < STACK_PAGES_MAX; page++) {
        struct aws_form form;
        struct aws_answer answer;
        const struct xml *result;
        aws_form_init(&form, a, STR("ListStackResources"));
        aws_field(&form, "StackName", name);
        aws_field(&form, "NextToken", token);
        TRY(aws_call(aws, a, AWS_CLOUDFORMATION, &form, &answer, &result));
        XML_EACH(xml_get(result, STR("StackResourceSummaries")), m)
        {
            struct str physical = xml_get_str(m, STR("PhysicalResourceId"));
            if (physical.len && !str_eq_c(xml_get_str(m, STR("ResourceStatus")), "DELETE_COMPLETE"))
                TRY(each(arg, xml_get_str(m, STR("ResourceType")), physical));
        }
        token = xml_get_str(result, STR("NextToken"));
        if (str_empty(token))
            return ERR_OK;
    }
    return ERR_LIMIT;
}

/* --- events ---------------------------------------------------------------------------------------- */

struct event_list {
    struct stack_event *v; /* newest first */
    size_t n, cap;
};

static enum err add_event(struct arena *a, struct event_list *list, const struct xml *m)
{
    if (list->n == STACK_EVENTS_MAX)
        return ERR_LIMIT;
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 64;
        struct stack_event *v = ARENA_ARRAY(a, struct stack_event, cap);
        if (!v)
            return ERR_NOMEM;
        if (list->n)
            memcpy(v, list->v, list->n * sizeof(*v));
        list->v = v;
        list->cap = cap;
    }
    list->v[list->n++] = (struct stack_event){
        .id = xml_get_str(m, STR("EventId")),
        .logical = xml_get_str(m, STR("LogicalResourceId")),
        .physical = xml_get_str(m, STR("PhysicalResourceId")),
        .type = xml_get_str(m, STR("ResourceType")),
        .status = xml_get_str(m, STR("ResourceStatus")),
        .reason = xml_get_str(m, STR("ResourceStatusReason")),
    };
    return ERR_OK;
}

static enum err event_page(struct aws *aws, struct arena *a, struct str stack, struct str token,
                           const struct xml **ret_result)
{
    struct aws_form form;
    struct aws_answer answer;
    aws_form_init(&form, a, STR("DescribeStackEvents"));
    aws_field(&form, "StackName", stack);
    aws_field(&form, "NextToken", token);
    enum err err = aws_call(aws, a, AWS_CLOUDFORMATION, &form, &answer, ret_result);
    return or_not_found(err, &answer);
}

/* *ret_found: `after` was among them. */
static enum err take_page(struct arena *a, const struct xml *result, struct str after,
                          struct event_list *list, bool *ret_found)
{
    XML_EACH(xml_get(result, STR("StackEvents")), m)
    {
        *ret_found = after.len && str_eq(xml_get_str(m, STR("EventId")), after);
        if (*ret_found)
            return ERR_OK;
        TRY(add_event(a, list, m));
    }
    return ERR_OK;
}

enum err stack_events(struct aws *aws, struct arena *a, struct str stack, struct str after,
                      struct stack_event **ret_v, size_t *ret_n)
{
    struct event_list list = {0};
    struct str token = STR_NONE;
    bool found = false;
    for (int page = 0; page < STACK_PAGES_MAX && !found; page++) {
        const struct xml *result;
        TRY(event_page(aws, a, stack, token, &result));
        TRY(take_page(a, result, after, &list, &found));
        token = xml_get_str(result, STR("NextToken"));
        if (str_empty(token))
            break;
    }
    for (size_t i = 0; i < list.n / 2; i++) {
        struct stack_event e = list.v[i];
        list.v[i] = list.v[list.n - 1 - i];
        list.v[list.n - 1 - i] = e;
    }
    *ret_v = list.v;
    *ret_n = list.n;
    return ERR_OK;
}

enum err stack_last_event(struct aws *aws, struct arena *a, struct str stack, struct str *ret_id)
{
    const struct xml *result;
    enum err err = event_page(aws, a, stack, STR_NONE, &result);
    *ret_id = STR("");
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    XML_EACH(xml_get(result, STR("StackEvents")), m)
    {
        *ret_id = str_dup(aws->arena, xml_get_str(m, STR("EventId")));
        return str_is_set(*ret_id) ? ERR_OK : ERR_NOMEM;
    }
    return ERR_OK;
}

/* --- change sets ------------------------------------------------------------------------------------ */

static enum err set_call(struct aws *aws, struct arena *a, const char *action, struct str stack,
                         struct str set)
{
    struct aws_form form;
    struct aws_answer answer = {0};
    const struct xml *result;
    aws_form_init(&form, a, str_c(action));
    aws_field(&form, "StackName", stack);
    aws_field(&form, "ChangeSetName", set);
    enum err err = aws_call(aws, a, AWS_CLOUDFORMATION, &form, &answer, &result);
    if (err == ERR_FAILED && str_eq_c(answer.code, "ChangeSetNotFound"))
        return ERR_NOT_FOUND;
    return or_not_found(err, &answer);
}

enum err stack_change_run(struct aws *aws, struct arena *a, struct str stack, struct str set)
{
    return set_call(aws, a, "ExecuteChangeSet", stack, set);
}

enum err stack_change_drop(struct aws *aws, struct arena *a, struct str stack, struct str set)
{
    enum err err = set_call(aws, a, "DeleteChangeSet", stack, set);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err stack_change_make(struct aws *aws, struct arena *a, const struct stack_change *c)
{
    struct aws_form form;
    struct aws_answer answer;
    const struct xml *result;
    TRY(stack_change_drop(aws, a, c->stack, c->set));
    aws_form_init(&form, a, STR("CreateChangeSet"));
    aws_field(&form, "StackName", c->stack);
    aws_field(&form, "ChangeSetName", c->set);
    aws_field(&form, "ChangeSetType", c->creates ? STR("CREATE") : STR("UPDATE"));
    aws_field(&form, "IncludeNestedStacks",
              STR("true")); /* else each may change, for all it says */
    aws_field(&form, "TemplateBody", c->body);
    aws_field(&form, "TemplateURL", c->url);
    for (size_t i = 0; i < c->n_parameters; i++) {
        const struct stack_value *p = &c->parameters[i];
        aws_member(&form, "Parameters", i + 1, "ParameterKey", p->key);
        aws_member(&form, "Parameters", i + 1, "ParameterValue", p->value);
        if (!str_is_set(p->value))
            aws_member(&form, "Parameters", i + 1, "UsePreviousValue", STR("true"));
    }
    for (size_t i = 0; i < c->n_capabilities; i++)
        aws_member(&form, "Capabilities", i + 1, "", c->capabilities[i]);
    return aws_call(aws, a, AWS_CLOUDFORMATION, &form, &answer, &result);
}

/* The words that the AWS CLI and CDK look for, too. */
static bool is_empty(struct str reason)
{
    return str_starts(reason, STR("The submitted information didn't contain changes.")) ||
           str_starts(reason, STR("No updates are to be performed"));
}

enum err stack_change_get(struct aws *aws, struct arena *a, struct str stack, struct str set,
                          struct str token, struct stack_change_page *ret_page)
{
    struct aws_form form;
    struct aws_answer answer;
    const struct xml *result;
    aws_form_init(&form, a, STR("DescribeChangeSet"));
    aws_field(&form, "StackName", stack);
    aws_field(&form, "ChangeSetName", set);
    aws_field(&form, "IncludePropertyValues", STR("true"));
    aws_field(&form, "NextToken", token);
    TRY(aws_call(aws, a, AWS_CLOUDFORMATION, &form, &answer, &result));
    struct str status = xml_get_str(result, STR("Status"));
    struct stack_change_page page = {
        .reason = xml_get_str(result, STR("StatusReason")),
        .stack_id = xml_get_str(result, STR("StackId")),
        .token = xml_get_str(result, STR("NextToken")),
        .changes = xml_get(result, STR("Changes")),
    };
    page.state = str_eq_c(status, "CREATE_COMPLETE") ? STACK_CHANGE_READY
                 : str_ends(status, STR("_PENDING")) || str_ends(status, STR("_IN_PROGRESS"))
                     ? STACK_CHANGE_COMING
                 : is_empty(page.reason) ? STACK_CHANGE_EMPTY
                                         : STACK_CHANGE_FAILED;
    if (str_empty(page.token))
        page.token = STR_NONE;
    *ret_page = page;
    return ERR_OK;
}
