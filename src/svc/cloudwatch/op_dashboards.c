/* PutDashboard, GetDashboard, ListDashboards, DeleteDashboards: documents that are checked for what would make
 * a console show nothing, and kept as they are.
 *
 * Layer: svc/cloudwatch. Source: CloudWatch API Reference; "Dashboard body structure and syntax". */
#include "svc/cloudwatch/cloudwatch_int.h"

enum {
    BODY_MAX = 1024 * 1024,
    NAME_BYTES_MAX = 255,
    WIDGETS_MAX = 500,
    MESSAGES_MAX = 20,
    LIST_MAX = 1000
};

struct cw_dashboard {
    struct str body;
    int64_t modified_ms;
};

static const struct record_field dashboard_fields[] = {
    REC_STR(struct cw_dashboard, body),
    REC_INT(struct cw_dashboard, modified_ms),
};
static const struct record_type dashboard_type =
    RECORD_TYPE(struct cw_dashboard, 1, dashboard_fields);

struct str cw_dashboard_arn(struct arena *a, const struct core *core, struct key_scope scope,
                            struct str name)
{
    const struct arn arn = {.partition = core->cfg.partition,
                            .service = STR("cloudwatch"),
                            .region = STR(""),
                            .account = scope.account};
    return arn_make(a, &arn, "dashboard/" STR_FMT, STR_ARG(name));
}

/* --- checking ----------------------------------------------------------------------------------- */

struct checking {
    struct call *call;
    struct cloudwatch_dashboard_validation_message *v;
    size_t n;
};

static enum err say(struct checking *c, const char *path_fmt, size_t i, const char *what)
{
    if (c->n == MESSAGES_MAX)
        return ERR_OK;
    c->v[c->n].data_path = str_fmt(c->call->arena, "/widgets/%zu%s", i, path_fmt);
    c->v[c->n].message = str_c(what);
    return str_is_set(c->v[c->n++].data_path) ? ERR_OK : ERR_NOMEM;
}

static enum err check_widget(struct checking *c, const struct json *w, size_t i)
{
    static const char *const kinds[] = {"metric", "text", "log", "alarm", "explorer", "custom"};
    struct str type = json_get_str(w, STR("type"));
    if (w->kind != JSON_OBJECT)
        return say(c, "", i, "Should be object");
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        if (str_eq_c(type, kinds[k])) {
            const struct json *p = json_get(w, STR("properties"));
            return p && p->kind == JSON_OBJECT
                       ? ERR_OK
                       : say(c, "/properties", i, "Should have required property 'properties'");
        }
    return say(c, "/type", i,
               str_is_set(type) ? "Should be equal to one of the allowed values"
                                : "Should have required property 'type'");
}

static enum err check_body(struct checking *c, const struct json *body)
{
    const struct json *widgets = json_get(body, STR("widgets"));
    size_t i = 0;
    if (!widgets || widgets->kind != JSON_ARRAY) {
        c->v[c->n].data_path = STR("/");
        c->v[c->n++].message = STR("Should have required property 'widgets'");
        return ERR_OK;
    }
    JSON_EACH (widgets, it) {
        if (i == WIDGETS_MAX)
            return say(c, "", i, "Should not have more than 500 items");
        TRY(check_widget(c, it, i++));
    }
    return ERR_OK;
}

static bool name_valid(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return name.len > 0 && name.len <= NAME_BYTES_MAX;
}

static enum err refuse(struct checking *c)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, c->call->arena, BODY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '[');
    for (size_t i = 0; i < c->n; i++) {
        json_open(&o, '{');
        json_kv_str(&o, STR("DataPath"), c->v[i].data_path);
        json_kv_str(&o, STR("Message"), c->v[i].message);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    TRY(buf_err(&b));
    return call_error(c->call, &cloudwatch_err_dashboard_invalid_input_error,
                      "The field DashboardBody must be a valid JSON object: " STR_FMT,
                      STR_ARG(buf_str(&b)));
}

/* --- operations --------------------------------------------------------------------------------- */

enum err cloudwatch_put_dashboard(struct call *call,
                                  const struct cloudwatch_put_dashboard_input *in,
                                  struct cloudwatch_put_dashboard_output *out)
{
    struct json *body;
    struct checking c = {.call = call};
    const struct cw_dashboard d = {in->dashboard_body, call->txn->wall_ms};
    const struct tags_resource resource = {
        .arn = cw_dashboard_arn(call->arena, call->core, call_scope(call), in->dashboard_name)};
    struct str record, old,
        key = key_make(call->arena, &cw_k_dashboard, call_scope(call), in->dashboard_name);
    c.v = ARENA_ARRAY(call->arena, struct cloudwatch_dashboard_validation_message, MESSAGES_MAX);
    if (!c.v || !str_is_set(resource.arn))
        return ERR_NOMEM;
    if (!name_valid(in->dashboard_name))
        return call_error(call, &cloudwatch_err_dashboard_invalid_input_error,
                          "The value " STR_FMT " for field DashboardName contains invalid "
                          "characters. It can only contain alphanumerics, dash (-) and underscore "
                          "(_).",
                          STR_ARG(in->dashboard_name));
    enum err err = in->dashboard_body.len > BODY_MAX
                       ? ERR_INVALID
                       : json_parse(call->arena, in->dashboard_body, &body, NULL);
    if (err == ERR_INVALID || err == ERR_LIMIT || (err == ERR_OK && body->kind != JSON_OBJECT))
        return call_error(call, &cloudwatch_err_dashboard_invalid_input_error,
                          "The field DashboardBody must be a valid JSON object");
    TRY(err);
    TRY(check_body(&c, body));
    if (c.n > 0)
        return refuse(&c);
    err = txn_get(call->txn, key, &old);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_NOT_FOUND)
        TRY(tags_op_create(call, &cw_tags, &resource, TAGS_FROM(in->tags)));
    TRY(record_make(&dashboard_type, call->arena, &d, &record));
    out->dashboard_validation_messages.v = c.v;
    return txn_put(call->txn, key, record);
}

static enum err missing(struct call *call, struct str name)
{
    return call_error(call, &cloudwatch_err_dashboard_not_found_error,
                      "Dashboard " STR_FMT " does not exist", STR_ARG(name));
}

enum err cloudwatch_get_dashboard(struct call *call,
                                  const struct cloudwatch_get_dashboard_input *in,
                                  struct cloudwatch_get_dashboard_output *out)
{
    struct cw_dashboard d;
    struct str record;
    enum err err = txn_get(
        call->txn, key_make(call->arena, &cw_k_dashboard, call_scope(call), in->dashboard_name),
        &record);
    if (err == ERR_NOT_FOUND)
        return missing(call, in->dashboard_name);
    TRY(err);
    TRY(record_unpack(&dashboard_type, call->arena, record, &d));
    out->dashboard_name = in->dashboard_name;
    out->dashboard_body = d.body;
    out->dashboard_arn =
        cw_dashboard_arn(call->arena, call->core, call_scope(call), in->dashboard_name);
    return str_is_set(out->dashboard_arn) ? ERR_OK : ERR_NOMEM;
}

enum err cloudwatch_delete_dashboards(struct call *call,
                                      const struct cloudwatch_delete_dashboards_input *in,
                                      struct cloudwatch_delete_dashboards_output *out)
{
    for (size_t i = 0; i < in->dashboard_names.n; i++) {
        struct str old, name = in->dashboard_names.v[i];
        struct str key = key_make(call->arena, &cw_k_dashboard, call_scope(call), name);
        struct str arn = cw_dashboard_arn(call->arena, call->core, call_scope(call), name);
        enum err err = txn_get(call->txn, key, &old);
        if (err == ERR_NOT_FOUND)
            return missing(call, name);
        TRY(err);
        if (!str_is_set(arn))
            return ERR_NOMEM;
        TRY(tags_drop(call->txn, arn));
        TRY(txn_del(call->txn, key));
    }
    return ERR_OK;
}

struct listing {
    struct call *call;
    struct cloudwatch_dashboard_entry *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct cloudwatch_dashboard_entry *e = &l->v[l->n++];
    struct cw_dashboard d;
    TRY(key_read(&cw_k_dashboard, key, l->call->arena, KEY_SKIP, &e->dashboard_name));
    TRY(record_unpack(&dashboard_type, l->call->arena, record, &d));
    e->dashboard_arn =
        cw_dashboard_arn(l->call->arena, l->call->core, call_scope(l->call), e->dashboard_name);
    WIRE_SET(e, last_modified, d.modified_ms);
    WIRE_SET(e, size, (int64_t)d.body.len);
    return str_is_set(e->dashboard_arn) ? ERR_OK : ERR_NOMEM;
}

enum err cloudwatch_list_dashboards(struct call *call,
                                    const struct cloudwatch_list_dashboards_input *in,
                                    struct cloudwatch_list_dashboards_output *out)
{
    static const struct page_fns fns = {NULL, take};
    struct str prefix = str_is_set(in->dashboard_name_prefix) ? in->dashboard_name_prefix : STR("");
    struct listing l = {.call = call,
                        .v = ARENA_ARRAY(call->arena, struct cloudwatch_dashboard_entry, LIST_MAX)};
    if (!l.v)
        return ERR_NOMEM;
    struct page page = page_of_call(call, prefix, in->next_token, LIST_MAX);
    struct key_range range =
        key_range(call->arena, &cw_k_dashboard, call_scope(call), KEY_STARTS(prefix));
    enum err err = page_scan(call->txn, &page, range, &fns, &l);
    if (err == ERR_INVALID)
        return CW_BAD_VALUE(call, "The next token is not valid.");
    TRY(err);
    out->dashboard_entries = (struct cloudwatch_dashboard_entries){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}
