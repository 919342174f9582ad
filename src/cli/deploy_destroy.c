/* weir destroy, weir stacks. See deploy.h. Layer: cli. */
#include <unistd.h>

#include "cli/bucket.h"
#include "cli/deploy_int.h"
#include "cli/file.h"

/* By --stack, a template's place, or the name itself. */
static int choose_stack(struct deployment *d)
{
    const struct deploy_options *o = d->options;
    if (!o->stack && !o->path) {
        (void)deploy_complain("which stack? Its name, or where its template is");
        return DEPLOY_USAGE;
    }
    if (!o->stack && file_kind(o->path) != FILE_NONE)
        return deploy_choose(d);
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

static enum err empty_bucket(void *arg, struct str type, struct str physical)
{
    struct deployment *d = arg;
    return str_eq_c(type, "AWS::S3::Bucket") ? bucket_empty(&d->aws, physical) : ERR_OK;
}

static int empty_buckets(struct deployment *d)
{
    enum err err = stack_resources(&d->aws, &d->arena, d->name, empty_bucket, d);
    return err ? deploy_explain(d, err) : 0;
}

static void count(void *arg, const struct stack *stack)
{
    ++*(size_t *)arg;
}

/* The last stack takes what was packaged with it. */
static int remove_packages(struct deployment *d)
{
    size_t n = 0;
    enum err err = stack_each(&d->aws, &d->arena, STR_NONE, count, &n);
    upload_init(&d->upload, &d->aws, NULL, d->out);
    if (!err && !n)
        err = upload_remove(&d->upload);
    return err ? deploy_explain(d, err) : 0;
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
    if (!code && d->options->empty)
        code = empty_buckets(d);
    if (!code)
        code = deploy_remove(d);
    if (!code)
        code = remove_packages(d);
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
