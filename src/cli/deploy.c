#include "cli/deploy.h"

#include "cli/deploy_int.h"

static const struct str deploy_set = STR_INIT("weir-deploy"), diff_set = STR_INIT("weir-diff");

/* --- deploy ----------------------------------------------------------------------------------------- */

/* Of a stack that was never whole nothing can be made but a new one. */
static int clear_failed(struct deployment *d)
{
    static const char *const never_whole[] = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED",
                                              "CREATE_FAILED", "DELETE_FAILED"};
    for (size_t i = 0; i < ARRAY_LEN(never_whole); i++) {
        if (!str_eq_c(d->stack.status, never_whole[i]))
            continue;
        fprintf(d->out, STR_FMT " is %s: removing what an earlier attempt left\n", STR_ARG(d->name),
                never_whole[i]);
        int code = deploy_remove(d);
        return code ? code : deploy_settle(d);
    }
    return 0;
}

static int print_outputs(struct deployment *d)
{
    struct stack stack;
    enum err err = stack_get(&d->aws, &d->arena, d->name, &stack);
    if (!err)
        err = show_outputs(&d->arena, stdout, &stack,
                           d->aws.is_aws ? STR_NONE : d->aws.urls[AWS_CLOUDFORMATION],
                           d->options->for_shell);
    return err ? deploy_explain(d, err) : 0;
}

static bool is_success(struct str status)
{
    return str_eq_c(status, "CREATE_COMPLETE") || str_eq_c(status, "UPDATE_COMPLETE");
}

static int carry_out(struct deployment *d, struct str stack_id)
{
    struct show show;
    enum err err = stack_last_event(&d->aws, &d->arena, d->name, &d->last_event);
    if (!err)
        err = stack_change_run(&d->aws, &d->arena, d->name, deploy_set);
    if (err)
        return deploy_explain(d, err);
    int code = deploy_follow(d, stack_id, &show);
    if (code || is_success(show.status))
        return code;
    show_failure(&show, d->name);
    return DEPLOY_FAILED;
}

static int bring_about(struct deployment *d)
{
    struct stack_change_page page;
    int code = deploy_make_set(d, deploy_set, &page);
    if (code)
        return code;
    if (page.state == STACK_CHANGE_EMPTY) {
        fprintf(d->out, "no changes: " STR_FMT " is what %s says\n", STR_ARG(d->name), d->template);
        return deploy_drop_set(d, deploy_set);
    }
    fprintf(d->out, "%s " STR_FMT " at " STR_FMT "\n", deploy_is_new(d) ? "creating" : "updating",
            STR_ARG(d->name), STR_ARG(d->aws.urls[AWS_CLOUDFORMATION]));
    return carry_out(d, page.stack_id);
}

/* Up to where a change set can be asked for. deploy_close, whatever comes out. */
static int begin(struct deployment *d, const struct deploy_options *options)
{
    int code = deploy_open(d, options);
    if (!code)
        code = deploy_choose(d);
    if (!code)
        code = deploy_prepare(d);
    if (!code)
        code = deploy_settle(d);
    return code;
}

int deploy(const struct deploy_options *options)
{
    struct deployment d;
    int code = begin(&d, options);
    if (!code)
        code = clear_failed(&d);
    if (!code)
        code = bring_about(&d);
    if (!code)
        code = print_outputs(&d);
    deploy_close(&d);
    return code;
}

/* --- diff ------------------------------------------------------------------------------------------- */

static enum err print_pages(struct deployment *d, struct stack_change_page page,
                            struct show_counts *counts)
{
    for (int i = 0; i < STACK_PAGES_MAX; i++) {
        show_changes(stdout, page.changes, counts);
        if (!str_is_set(page.token))
            return ERR_OK;
        TRY(stack_change_get(&d->aws, &d->arena, d->name, diff_set, page.token, &page));
    }
    return ERR_LIMIT;
}

static int print_difference(struct deployment *d)
{
    struct stack_change_page page;
    struct show_counts counts = {0};
    int code = deploy_make_set(d, diff_set, &page);
    if (code)
        return code;
    if (page.state == STACK_CHANGE_EMPTY) {
        printf("no changes: " STR_FMT " is what %s says\n", STR_ARG(d->name), d->template);
        return deploy_drop_set(d, diff_set);
    }
    printf("%s " STR_FMT ":\n", deploy_is_new(d) ? "what would be made as" : "changes of",
           STR_ARG(d->name));
    enum err err = print_pages(d, page, &counts);
    if (err)
        return deploy_explain(d, err);
    show_counted(stdout, &counts);
    code = deploy_drop_set(d, diff_set);
    return code ? code : d->options->exit_code ? DEPLOY_FAILED : 0;
}

int deploy_diff(const struct deploy_options *options)
{
    struct deployment d;
    int code = begin(&d, options);
    if (!code)
        code = print_difference(&d);
    deploy_close(&d);
    return code;
}
