#include "cli/package.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/archive.h"
#include "cli/file.h"
#include "codec/hash.h"
#include "codec/yaml.h"

enum { KEY_HASH_CHARS = 32 };

/* What a path leads to. */
enum content {
    CONTENT_ZIP,  /* a folder or file to zip, or an archive */
    CONTENT_FILE, /* a document, as it is */
    CONTENT_TEMPLATE,
};

/* How the place is written. */
enum form { FORM_URI, FORM_CODE, FORM_BODY, FORM_URL };

/* Source: the AWS CLI user guide's page on "cloudformation package", of the types that are known here. */
static const struct property {
    const char *type, *name;
    enum content content;
    enum form form;
} properties[] = {
    {"AWS::Serverless::Function", "CodeUri", CONTENT_ZIP, FORM_URI},
    {"AWS::Serverless::LayerVersion", "ContentUri", CONTENT_ZIP, FORM_URI},
    {"AWS::Serverless::Api", "DefinitionUri", CONTENT_FILE, FORM_URI},
    {"AWS::Lambda::Function", "Code", CONTENT_ZIP, FORM_CODE},
    {"AWS::Lambda::LayerVersion", "Content", CONTENT_ZIP, FORM_CODE},
    {"AWS::ApiGateway::RestApi", "BodyS3Location", CONTENT_FILE, FORM_BODY},
    {"AWS::CloudFormation::Stack", "TemplateURL", CONTENT_TEMPLATE, FORM_URL},
};
static const struct property include = {NULL, "Location", CONTENT_FILE, FORM_URI};

struct edit {
    struct str old, new;
};

struct packing {
    struct arena *arena;
    const struct package_store *store;
    struct str folder; /* of the template, with a slash at its end; empty: the current one */
    struct str text;
    struct edit *edits; /* [PACKAGE_PATHS_MAX] */
    size_t n;
    size_t nesting;
    char *why; /* [PACKAGE_WHY_MAX] */
};

static enum err package_at(struct packing *p, const char *path, struct package *ret_package);

static enum err refuse(struct packing *p, enum err err, const char *fmt, ...) PRINTF_LIKE(3, 4);
static enum err refuse(struct packing *p, enum err err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p->why, PACKAGE_WHY_MAX, fmt, ap);
    va_end(ap);
    return err;
}

/* --- what a path leads to ------------------------------------------------------------------------ */

static bool is_archive(struct str bytes)
{
    return str_starts(bytes, STR("PK\3\4"));
}

static enum err cannot(struct packing *p, enum err err, struct str what, struct str at)
{
    if (err == ERR_NOMEM)
        return err;
    const char *why = err == ERR_LIMIT       ? "it is too large"
                      : err == ERR_NOT_FOUND ? "there is nothing in it"
                                             : strerror(errno);
    return refuse(p, err, STR_FMT ": cannot package " STR_FMT ": %s", STR_ARG(what), STR_ARG(at),
                  why);
}

/* *ret_suffix is what the key ends with. */
static enum err zipped(struct packing *p, struct str what, const char *path, enum file_kind kind,
                       struct str *ret_bytes)
{
    struct str at = str_c(path);
    enum err err = ERR_OK;
    *ret_bytes = STR_NONE;
    if (kind == FILE_PLAIN)
        err = file_read(p->arena, path, ARCHIVE_BYTES_MAX, ret_bytes);
    if (!err && !is_archive(*ret_bytes))
        err = archive_make(p->arena, path, ret_bytes, &at);
    return err ? cannot(p, err, what, at) : ERR_OK;
}

static enum err contents(struct packing *p, const struct property *property, struct str what,
                         const char *path, struct str *ret_bytes, struct str *ret_suffix)
{
    enum file_kind kind = file_kind(path);
    if (kind == FILE_NONE)
        return refuse(p, ERR_NOT_FOUND, STR_FMT " is %s, which is not there", STR_ARG(what), path);
    *ret_suffix = STR(".zip");
    if (property->content == CONTENT_ZIP)
        return zipped(p, what, path, kind, ret_bytes);
    if (kind == FILE_FOLDER)
        return refuse(p, ERR_INVALID, STR_FMT " is %s, which is a folder", STR_ARG(what), path);
    if (property->content == CONTENT_TEMPLATE) {
        struct package inner;
        *ret_suffix = STR(".template");
        TRY(package_at(p, path, &inner));
        *ret_bytes = inner.text;
        return ERR_OK;
    }
    size_t dot = str_rfind(str_c(path), '.'), slash = str_rfind(str_c(path), '/');
    bool named = dot != SIZE_MAX && (slash == SIZE_MAX || dot > slash);
    *ret_suffix = named ? str_sub(str_c(path), dot, SIZE_MAX) : STR("");
    enum err err = file_read(p->arena, path, ARCHIVE_BYTES_MAX, ret_bytes);
    return err ? cannot(p, err, what, str_c(path)) : ERR_OK;
}

/* --- its place ----------------------------------------------------------------------------------- */

/* JSON is YAML, too, so one form fits both texts. */
static struct str place(struct packing *p, enum form form, struct str key)
{
    struct str bucket = p->store->bucket;
    switch (form) {
    case FORM_CODE:
        return str_fmt(p->arena, "{\"S3Bucket\": \"" STR_FMT "\", \"S3Key\": \"" STR_FMT "\"}",
                       STR_ARG(bucket), STR_ARG(key));
    case FORM_BODY:
        return str_fmt(p->arena, "{\"Bucket\": \"" STR_FMT "\", \"Key\": \"" STR_FMT "\"}",
                       STR_ARG(bucket), STR_ARG(key));
    case FORM_URL:
        return str_fmt(p->arena, "\"" STR_FMT "/" STR_FMT "\"", STR_ARG(p->store->url),
                       STR_ARG(key));
    default:
        return str_fmt(p->arena, "\"s3://" STR_FMT "/" STR_FMT "\"", STR_ARG(bucket), STR_ARG(key));
    }
}

static enum err store(struct packing *p, const struct property *property, struct str what,
                      const char *path, struct str *ret_place)
{
    struct str bytes = STR_NONE, suffix = STR_NONE;
    char hash[2 * HASH_SHA256_LEN];
    TRY(contents(p, property, what, path, &bytes, &suffix));
    hash_sha256_hex(bytes.p, bytes.len, hash);
    struct str key = str_fmt(p->arena, "%.*s" STR_FMT, KEY_HASH_CHARS, hash, STR_ARG(suffix));
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(p->store->put(p->store->arg, what, key, bytes));
    *ret_place = place(p, property->form, key);
    return str_is_set(*ret_place) ? ERR_OK : ERR_NOMEM;
}

static bool is_local(const struct json *v)
{
    return v && v->kind == JSON_STRING && v->text.len && !str_starts(v->text, STR("s3://")) &&
           !str_starts(v->text, STR("http://")) && !str_starts(v->text, STR("https://"));
}

/* Plain or quoted, without an anchor or a tag, and no block of lines. */
static bool is_replaceable(struct str raw)
{
    return raw.len && !memchr("&!*|>", raw.p[0], 5);
}

static enum err take_path(struct packing *p, const struct property *property, struct str owner,
                          const struct json *v)
{
    struct edit edit = {v->raw, STR_NONE};
    struct str what = str_fmt(p->arena, STR_FMT ".%s", STR_ARG(owner), property->name);
    struct str path = v->text.p[0] == '/' ? v->text
                                          : str_fmt(p->arena, STR_FMT STR_FMT, STR_ARG(p->folder),
                                                    STR_ARG(v->text));
    const char *at = str_is_set(path) ? str_cstr(p->arena, path) : NULL;
    if (!str_is_set(what) || !at)
        return ERR_NOMEM;
    if (!is_replaceable(v->raw))
        return refuse(
            p, ERR_INVALID,
            STR_FMT
            " is a local path that must stand there in one line, without an anchor or alias",
            STR_ARG(what));
    if (p->n == PACKAGE_PATHS_MAX)
        return refuse(p, ERR_LIMIT, "more than %d local paths", PACKAGE_PATHS_MAX);
    TRY(store(p, property, what, at, &edit.new));
    p->edits[p->n++] = edit;
    return ERR_OK;
}

/* --- where paths are ------------------------------------------------------------------------------ */

static enum err take_resource(struct packing *p, const struct json *resource)
{
    struct str type = json_get_str(resource, STR("Type"));
    const struct json *values = json_get(resource, STR("Properties"));
    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        const struct json *v = json_get(values, str_c(properties[i].name));
        if (str_eq_c(type, properties[i].type) && is_local(v))
            TRY(take_path(p, &properties[i], resource->key, v));
    }
    return ERR_OK;
}

/* SAM's Globals: Function: CodeUri. */
static enum err take_globals(struct packing *p, const struct json *globals)
{
    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        struct str kind = str_c(properties[i].type);
        if (!str_starts(kind, STR("AWS::Serverless::")))
            continue;
        kind = str_sub(kind, sizeof("AWS::Serverless::") - 1, SIZE_MAX);
        const struct json *v = json_get(json_get(globals, kind), str_c(properties[i].name));
        if (is_local(v))
            TRY(take_path(p, &properties[i], kind, v));
    }
    return ERR_OK;
}

/* AWS::Include, wherever it is; depth is bounded by that of the parsers. */
static enum err take_includes(struct packing *p, const struct json *v)
{
    JSON_EACH (v, it) {
        if (str_eq_c(it->key, "Fn::Transform") || str_eq_c(it->key, "!Transform") ||
            str_eq_c(it->key, "Transform")) {
            const struct json *location =
                json_get(json_get(it, STR("Parameters")), STR("Location"));
            if (str_eq_c(json_get_str(it, STR("Name")), "AWS::Include") && is_local(location))
                TRY(take_path(p, &include, STR("AWS::Include"), location));
        }
        TRY(take_includes(p, it));
    }
    return ERR_OK;
}

static enum err take_all(struct packing *p, const struct json *tree)
{
    JSON_EACH (json_get(tree, STR("Resources")), it)
        TRY(take_resource(p, it));
    TRY(take_globals(p, json_get(tree, STR("Globals"))));
    return take_includes(p, tree);
}

/* --- the text ------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct edit *x = a, *y = b;
    return x->old.p < y->old.p ? -1 : x->old.p > y->old.p;
}

static enum err rewrite(struct packing *p, struct str *ret_text)
{
    struct buf b;
    const char *at = p->text.p;
    buf_init_arena(&b, p->arena, 2 * PACKAGE_TEMPLATE_BYTES_MAX);
    qsort(p->edits, p->n, sizeof(*p->edits), by_place);
    for (size_t i = 0; i < p->n; i++) {
        buf_add(&b, at, (size_t)(p->edits[i].old.p - at));
        buf_add_str(&b, p->edits[i].new);
        at = p->edits[i].old.p + p->edits[i].old.len;
    }
    buf_add(&b, at, (size_t)(p->text.p + p->text.len - at));
    *ret_text = buf_str(&b);
    return buf_err(&b);
}

/* YAML takes nearly all of JSON, but not all (surrogates): such a text has no places. */
static enum err parse(struct packing *p, const char *path, struct json **ret_tree)
{
    struct yaml_fault fault = {0};
    enum err err = yaml_parse_places(p->arena, p->text, ret_tree, &fault);
    if (!err || err == ERR_NOMEM)
        return err;
    if (str_starts(str_trim(p->text), STR("{")) &&
        json_parse(p->arena, p->text, ret_tree, NULL) == ERR_OK)
        return ERR_OK;
    return refuse(p, ERR_INVALID, "%s:%zu:%zu: %s", path, fault.line, fault.column, fault.why);
}

static enum err read_template(struct packing *p, const char *path, struct json **ret_tree)
{
    enum err err = file_read(p->arena, path, PACKAGE_TEMPLATE_BYTES_MAX, &p->text);
    if (err == ERR_LIMIT)
        return refuse(p, err, "%s is too large for a template: %d bytes are allowed", path,
                      PACKAGE_TEMPLATE_BYTES_MAX);
    if (err && err != ERR_NOMEM)
        return refuse(p, err, "cannot read %s: %s", path, strerror(errno));
    TRY(err);
    TRY(parse(p, path, ret_tree));
    if ((*ret_tree)->kind != JSON_OBJECT || !json_get(*ret_tree, STR("Resources")))
        return refuse(p, ERR_INVALID, "%s is no template: it has no Resources", path);
    return ERR_OK;
}

/* A nested template has texts and paths of its own. */
static enum err package_at(struct packing *outer, const char *path, struct package *ret_package)
{
    struct packing p = *outer;
    struct package package = {0};
    struct json *tree;
    size_t slash = str_rfind(str_c(path), '/');
    p.folder = slash == SIZE_MAX ? STR("") : str_n(path, slash + 1);
    p.n = 0;
    if (++p.nesting > PACKAGE_NESTING_MAX)
        return refuse(&p, ERR_LIMIT, "%s: templates are nested too deep", path);
    p.edits = ARENA_ARRAY(p.arena, struct edit, PACKAGE_PATHS_MAX);
    if (!p.edits)
        return ERR_NOMEM;
    TRY(read_template(&p, path, &tree));
    if (p.store)
        TRY(take_all(&p, tree));
    TRY(rewrite(&p, &package.text));
    package.tree = tree;
    package.n_paths = p.n;
    *ret_package = package;
    return ERR_OK;
}

enum err package_template(struct arena *a, const char *path, const struct package_store *store_,
                          struct package *ret_package, char ret_why[PACKAGE_WHY_MAX])
{
    struct packing p = {.arena = a, .store = store_, .why = ret_why};
    ret_why[0] = 0;
    return package_at(&p, path, ret_package);
}
