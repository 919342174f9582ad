#include "cli/deploy.h"

#include <unistd.h>

#include "cli/deploy_int.h"
#include "cli/file.h"

static const struct str deploy_set = STR_INIT("weir-deploy"), diff_set = STR_INIT("weir-diff");

/* The template and the stack's name, without asking anybody. */
static int choose(struct deployment *d)
{
    const struct deploy_options *o = d->options;
    if (!o->path || deploy_template(&d->arena, o->path, &d->template) != ERR_OK) {
        (void)deploy_complain(
            o->path ? "there is no template at %s: a file, or a folder with template.yaml"
                    : "which template? A file, or a folder with template.yaml%s",
            o->path ? o->path : "");
        return DEPLOY_USAGE;
    }
    d->name = str_c(o->stack);
    if (!o->stack && deploy_name(&d->arena, d->template, &d->name) != ERR_OK) {
        (void)deploy_complain("%s makes no name for a stack: give one with --stack", d->template);
        return DEPLOY_USAGE;
    }
    return 0;
}

/* --- deploy ----------------------------------------------------------------------------------------- */

int deploy_remove(struct deployment *d)
{
    enum err err = stack_delete(&d->aws, &d->arena, d->name);
    if (err)
        return deploy_explain(d, err);
    struct show show;
    int code = deploy_follow(d, d->stack.id, &show);
    if (code || str_eq_c(show.status, "DELETE_COMPLETE"))
        return code;
    show_failure(&show, d->name);
    return DEPLOY_FAILED;
}

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

int deploy(const struct deploy_options *options)
{
    struct deployment d;
    int code = deploy_open(&d, options);
    if (!code)
        code = choose(&d);
    if (!code)
        code = deploy_prepare(&d);
    if (!code)
        code = deploy_settle(&d);
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
    int code = deploy_open(&d, options);
    if (!code)
        code = choose(&d);
    if (!code)
        code = deploy_prepare(&d);
    if (!code)
        code = deploy_settle(&d);
    if (!code)
        code = print_difference(&d);
    deploy_close(&d);
    return code;
}

/* --- destroy ---------------------------------------------------------------------------------------- */

/* By --stack, a template's place, or the name itself. */
static int choose_stack(struct deployment *d)
{
    const struct deploy_options *o = d->options;
    if (!o->stack && !o->path) {
        (void)deploy_complain("which stack? Its name, or where its template is");
        return DEPLOY_USAGE;
    }
    if (!o->stack && file_kind(o->path) != FILE_NONE)
        return choose(d);
    d->name = str_c(o->stack ? o->stack : o->path);
    return 0;
}

static int confirm(const struct deployment *d)
{
    char line[16] = "";
    if (d->options->yes)
        return 0;
    if (!isatty(STDIN_FILENO)) {
        (void)deploy_complain("this removes all of " STR_FMT
                              ": say --yes where nobody can be asked",
                              STR_ARG(d->name));
        return DEPLOY_USAGE;
    }
    fprintf(d->out, "Remove " STR_FMT " at " STR_FMT " with all that it made? [y/N] ",
            STR_ARG(d->name), STR_ARG(d->aws.urls[AWS_CLOUDFORMATION]));
    fflush(d->out);
    if (fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y'))
        return 0;
    return deploy_complain("nothing was removed");
}

static int remove_stack(struct deployment *d)
{
    int code = deploy_settle(d);
    if (code)
        return code;
    if (!str_is_set(d->stack.id)) {
        fprintf(d->out, "there is no stack " STR_FMT "\n", STR_ARG(d->name));
        return 0;
    }
    code = confirm(d);
    if (!code)
        code = deploy_remove(d);
    if (!code)
        fprintf(d->out, "removed " STR_FMT "\n", STR_ARG(d->name));
    return code;
}

int deploy_destroy(const struct deploy_options *options)
{
    struct deployment d;
    int code = deploy_open(&d, options);
    if (!code)
        code = choose_stack(&d);
    if (!code)
        code = remove_stack(&d);
    deploy_close(&d);
    return code;
}

/* --- stacks ----------------------------------------------------------------------------------------- */

static void print_stack(void *arg, const struct stack *s)
{
    printf("%-32.*s  %-28.*s  %-20.*s", STR_ARG(s->name), STR_ARG(s->status),
           STR_ARG(str_sub(s->time, 0, sizeof("2026-11-21T10:47:52") - 1)));
    if (s->reason.len || s->description.len) {
        fputs("  ", stdout);
        show_text(stdout, s->reason.len ? s->reason : s->description);
    }
    putchar('\n');
    ++*(size_t *)arg;
}

int deploy_list(const struct deploy_options *options)
{
    struct deployment d;
    size_t n = 0;
    int code = deploy_open(&d, options);
    if (!code) {
        enum err err = stack_each(&d.aws, &d.arena, STR_NONE, print_stack, &n);
        code = err ? deploy_explain(&d, err) : 0;
    }
    if (!code && !n)
        fprintf(d.out, "no stacks at " STR_FMT "\n", STR_ARG(d.aws.urls[AWS_CLOUDFORMATION]));
    deploy_close(&d);
    return code;
}
