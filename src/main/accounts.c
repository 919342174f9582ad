#include "main/accounts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arn.h"
#include "base/mem.h"
#include "base/sys.h"
#include "cli/ask.h"
#include "core/account.h"
#include "core/web.h"
#include "main/root_key.h"
#include "main/running.h"

enum { FILE_BYTES = 512, LIST_MAX = ACCOUNTS_MAX * 40, PATH_BYTES = 64 };

/* --- the server's side ------------------------------------------------------------------------ */

static struct {
    struct core *core;
    const char *token;
} accounts;

/* A change or a question on its way. The client may leave before the answer: the later of the two frees it. */
struct asked {
    struct http_req *req; /* NULL: it left */
    bool answered;
    bool adds;
    char id[ARN_ACCOUNT_LEN + 1];
    char lines[LIST_MAX];
    size_t len;
};

static void client_left(void *arg)
{
    struct asked *q = arg;
    q->req = NULL;
    if (q->answered)
        mem_free(q);
}

static void add_line(struct asked *q, struct str id, struct str access_key)
{
    q->len += (size_t)snprintf(q->lines + q->len, sizeof(q->lines) - q->len,
                               STR_FMT " " STR_FMT "\n", STR_ARG(id), STR_ARG(access_key));
}

static enum err in_txn(struct txn *txn, void *arg)
{
    struct asked *q = arg;
    struct catalogue_page page;
    struct str access_key;
    q->len = 0;
    if (q->adds) {
        TRY(account_add(txn, str_c(q->id), &access_key));
        add_line(q, str_c(q->id), access_key);
        return ERR_OK;
    }
    TRY(account_list(txn, &page));
    for (size_t i = 0; i < page.n; i++) {
        const struct account *account = page.objects[i];
        add_line(q, account->id, account->access_key);
    }
    return ERR_OK;
}

static int status_of(enum err err)
{
    switch (err) {
    case ERR_OK:
        return 200;
    case ERR_INVALID:
        return 400;
    case ERR_EXISTS:
        return 409;
    case ERR_LIMIT:
        return 507;
    default:
        return 503;
    }
}

static void answered(void *arg, enum err err)
{
    static const struct http_header text = {STR_INIT("Content-Type"), STR_INIT("text/plain")};
    struct asked *q = arg;
    q->answered = true;
    if (q->req)
        http_reply(q->req, status_of(err), &text, 1, err ? STR_NONE : str_n(q->lines, q->len));
    else
        mem_free(q);
}

static void begin(struct http_req *req, struct str id, bool adds)
{
    struct asked *q = mem_calloc(1, sizeof(*q));
    if (!q || id.len >= sizeof(q->id)) {
        mem_free(q);
        http_reply(req, q ? 400 : 503, NULL, 0, STR_NONE);
        return;
    }
    memcpy(q->id, id.p, id.len);
    q->req = req;
    q->adds = adds;
    if (arena_on_release(req->arena, client_left, q) != ERR_OK) {
        mem_free(q);
        http_reply(req, 503, NULL, 0, STR_NONE);
    } else if (txn_run(accounts.core, req->loop, in_txn, q, answered) != ERR_OK) {
        answered(q, ERR_NOMEM);
    }
}

static void serve(void *arg, struct http_req *req)
{
    struct str path = str_sub(req->path, sizeof(ACCOUNTS_PATH) - 1, SIZE_MAX);
    bool adds = str_eq(req->method, STR("POST")) && str_starts(path, STR("/"));
    req->user = NULL;
    if (!adds && (!str_eq(req->method, STR("GET")) || path.len > 0))
        http_reply(req, 405, NULL, 0, STR_NONE);
    else if (!web_has_token(req, str_c(accounts.token)))
        http_reply(req, 403, NULL, 0, STR_NONE);
    else if (accounts.core->stopping)
        http_reply(req, 503, NULL, 0, STR_NONE);
    else
        begin(req, adds ? str_sub(path, 1, SIZE_MAX) : STR(""), adds);
}

void accounts_route(struct core *core, const char *token)
{
    accounts.core = core;
    accounts.token = token;
    core_add_route(core, ACCOUNTS_PATH, serve, NULL);
}

/* --- the command line's ----------------------------------------------------------------------- */

/* What the running server answers; lines in `body`. Exit code. */
static int ask(const struct running *r, const char *id, const struct root_key *key,
               struct buf *body)
{
    char path[PATH_BYTES];
    struct ask_at at;
    struct ask *ask = NULL;
    int status = 0;
    snprintf(path, sizeof(path), ACCOUNTS_PATH "%s%s", id ? "/" : "", id ? id : "");
    enum err err = ask_at_parse(str_c(r->at), &at);
    if (!err)
        err = ask_open(&at, id ? "POST" : "GET", path, key->accounts_token, &ask);
    if (!err)
        err = ask_head(ask, &status);
    if (!err && status == 200)
        err = ask_body(ask, body);
    ask_free(ask);
    if (!err && status == 200)
        return 0;
    if (err)
        fprintf(stderr, "weir: no answer from %s: %s\n", r->at, err_name(err));
    else if (status == 409)
        fprintf(stderr, "weir: the account %s is there already\n", id);
    else if (status == 507)
        fprintf(stderr, "weir: there are %d accounts, which is as many as there may be\n",
                ACCOUNTS_MAX);
    else
        fprintf(stderr, "weir: %s answered %d\n", r->at, status);
    return 1;
}

static int ask_running(const char *data_dir, const char *id, struct root_key *ret_key,
                       struct buf *body)
{
    struct running r;
    buf_init(body, LIST_MAX);
    if (running_read(data_dir, &r) != ERR_OK) {
        fprintf(stderr,
                "weir: nothing serves from %s: start weir serve, or name its folder with "
                "--data or WEIR_DATA\n",
                data_dir);
        return 1;
    }
    if (root_key_load(data_dir, false, ret_key) != ERR_OK)
        return 1;
    return ask(&r, id, ret_key, body);
}

/* Writes DIR/root-credentials-ID. */
static bool write_credentials(const char *data_dir, const struct root_key *key, struct str id,
                              struct str access_key)
{
    char name[PATH_BYTES], text[FILE_BYTES], secret[ACCOUNT_SECRET_CHARS + 1];
    account_secret(str_c(key->secret), access_key, secret);
    snprintf(name, sizeof(name), "root-credentials-" STR_FMT, STR_ARG(id));
    int n = snprintf(text, sizeof(text),
                     "# The root key of account " STR_FMT
                     ": everything there is allowed to whoever has it.\n"
                     "[default]\naws_access_key_id = " STR_FMT "\naws_secret_access_key = %s\n",
                     STR_ARG(id), STR_ARG(access_key), secret);
    if (sys_replace_file(data_dir, name, text, (size_t)n, 0600, true) == ERR_OK)
        return true;
    fprintf(stderr, "weir: cannot write %s/%s\n", data_dir, name);
    return false;
}

static bool path_of(const char *data_dir, struct str id, char *path, size_t size)
{
    char folder[PATH_MAX];
    return realpath(data_dir, folder) &&
           snprintf(path, size, "%s/root-credentials-" STR_FMT, folder, STR_ARG(id)) < (int)size;
}

/* Sees to it that the file is there, and says where. */
static bool have_credentials(const char *data_dir, const struct root_key *key, struct str id,
                             struct str access_key, char *path, size_t size)
{
    return path_of(data_dir, id, path, size) &&
           (access(path, R_OK) == 0 || write_credentials(data_dir, key, id, access_key));
}

int accounts_add(const char *data_dir, const char *id)
{
    struct root_key key;
    struct buf body;
    char path[PATH_MAX];
    if (!arn_account_valid(str_c(id))) {
        fprintf(stderr, "weir: an account's id is 12 digits, not '%s'\n", id);
        return 2;
    }
    int code = ask_running(data_dir, id, &key, &body);
    struct str access_key = buf_str(&body);
    (void)str_cut(&access_key, ' ');
    if (!code &&
        !have_credentials(data_dir, &key, str_c(id), str_trim(access_key), path, sizeof(path)))
        code = 1;
    if (!code)
        printf("%s %s\n", id, path);
    buf_release(&body);
    return code;
}

int accounts_list(const char *data_dir)
{
    struct root_key key;
    struct buf body;
    char path[PATH_MAX];
    int code = ask_running(data_dir, NULL, &key, &body);
    struct str lines = code ? STR_NONE : buf_str(&body);
    while (!code && str_is_set(lines)) {
        struct str access_key = str_cut(&lines, '\n'), id = str_cut(&access_key, ' ');
        if (id.len == 0)
            continue;
        if (have_credentials(data_dir, &key, id, access_key, path, sizeof(path)))
            printf(STR_FMT " %s\n", STR_ARG(id), path);
        else
            code = 1;
    }
    buf_release(&body);
    return code;
}

bool accounts_credentials(const char *data_dir, const char *id, char *path, size_t size)
{
    struct root_key key;
    struct buf body;
    bool found = false;
    if (path_of(data_dir, str_c(id), path, size) && access(path, R_OK) == 0)
        return true;
    int code = ask_running(data_dir, NULL, &key, &body);
    struct str lines = code ? STR_NONE : buf_str(&body);
    while (!found && str_is_set(lines)) {
        struct str access_key = str_cut(&lines, '\n'), is = str_cut(&access_key, ' ');
        found = str_eq_c(is, id) && have_credentials(data_dir, &key, is, access_key, path, size);
    }
    buf_release(&body);
    if (!found && !code)
        fprintf(stderr, "weir: there is no account %s: weir account add %s\n", id, id);
    return found;
}
