/* Outputs and changes of a stack. See show.h. Layer: cli. */
#include <ctype.h>

#include "cli/show.h"

enum { VALUE_WIDTH_MAX = 100 };

/* --- addresses --------------------------------------------------------------------------------------- */

/* https://ID.execute-api.REGION.amazonaws.com/STAGE/PATH -> URL/restapis/ID/STAGE/_user_request_/PATH, which
 * needs no name to be known. */
enum err show_address(struct arena *a, struct str value, struct str url, struct str *ret_value)
{
    static const struct str scheme = STR_INIT("https://"), kind = STR_INIT(".execute-api.");
    *ret_value = value;
    if (!str_is_set(url) || !str_starts(value, scheme))
        return ERR_OK;
    struct str rest = str_sub(value, scheme.len, SIZE_MAX);
    struct str host = str_cut(&rest, '/');
    size_t dot = str_find_str(host, kind);
    if (dot == SIZE_MAX || !str_is_set(rest))
        return ERR_OK;
    struct str stage = str_cut(&rest, '/');
    *ret_value = str_fmt(a, STR_FMT "/restapis/" STR_FMT "/" STR_FMT "/_user_request_%s" STR_FMT,
                         STR_ARG(url), STR_ARG(str_sub(host, 0, dot)), STR_ARG(stage),
                         str_is_set(rest) ? "/" : "", STR_ARG(rest));
    return str_is_set(*ret_value) ? ERR_OK : ERR_NOMEM;
}

/* --- outputs ----------------------------------------------------------------------------------------- */

/* ApiUrl is API_URL, DLQArn is DLQ_ARN. */
static void put_variable(FILE *out, struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.p[i];
        bool starts = isupper(c) && i &&
                      (!isupper((unsigned char)key.p[i - 1]) ||
                       (i + 1 < key.len && islower((unsigned char)key.p[i + 1])));
        if (starts)
            fputc('_', out);
        fputc(toupper(c), out);
    }
    fputc('=', out);
}

static void put_shell_word(FILE *out, struct str value)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/[]@%+,=";
    bool plain = true;
    for (size_t i = 0; i < value.len; i++)
        plain = plain && memchr(safe, value.p[i], sizeof(safe) - 1);
    if (plain) {
        fprintf(out, STR_FMT "\n", STR_ARG(value));
        return;
    }
    fputc('\'', out);
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '\'')
            fputs("'\\'", out);
        fputc(value.p[i], out);
    }
    fputs("'\n", out);
}

static void put_output(FILE *out, const struct xml *m, struct str value, size_t names,
                       bool for_shell)
{
    struct str key = xml_get_str(m, STR("OutputKey")), about = xml_get_str(m, STR("Description"));
    if (for_shell) {
        put_variable(out, key);
        put_shell_word(out, value);
        return;
    }
    fprintf(out, "  %-*.*s  ", (int)names, STR_ARG(key));
    show_text(out, value);
    if (about.len) {
        fputs("  (", out);
        show_text(out, about);
        fputc(')', out);
    }
    fputc('\n', out);
}

enum err show_outputs(struct arena *a, FILE *out, const struct stack *stack, struct str url,
                      bool for_shell)
{
    size_t names = 0;
    XML_EACH(stack->outputs, m)
    {
        size_t len = xml_get_str(m, STR("OutputKey")).len;
        names = len > names ? len : names;
    }
    if (names && !for_shell)
        fprintf(out, "Outputs of " STR_FMT ":\n", STR_ARG(stack->name));
    XML_EACH(stack->outputs, m)
    {
        struct str value;
        TRY(show_address(a, xml_get_str(m, STR("OutputValue")), url, &value));
        put_output(out, m, value, names, for_shell);
    }
    fflush(out);
    return ERR_OK;
}

/* --- changes ----------------------------------------------------------------------------------------- */

static void put_value(FILE *out, struct str value)
{
    if (!str_is_set(value)) {
        fputs("(none)", out);
        return;
    }
    show_text(out, str_sub(value, 0, VALUE_WIDTH_MAX));
    if (value.len > VALUE_WIDTH_MAX)
        fputs("...", out);
}

/* A property may be named twice: once by what changes statically, once by what it depends on. */
static bool is_repeated(const struct xml *detail)
{
    const struct xml *target = xml_get(detail, STR("Target"));
    for (const struct xml *e = detail->parent->child; e != detail; e = e->next)
        if (str_eq(xml_get_str(xml_get(e, STR("Target")), STR("Path")),
                   xml_get_str(target, STR("Path"))) &&
            str_eq(xml_get_str(xml_get(e, STR("Target")), STR("Name")),
                   xml_get_str(target, STR("Name"))))
            return true;
    return false;
}

static void put_detail(FILE *out, const struct xml *detail)
{
    const struct xml *target = xml_get(detail, STR("Target"));
    struct str path = xml_get_str(target, STR("Path")), name = xml_get_str(target, STR("Name"));
    struct str before = xml_get_str(target, STR("BeforeValue"));
    struct str after = xml_get_str(target, STR("AfterValue"));
    struct str again = xml_get_str(target, STR("RequiresRecreation"));
    if (is_repeated(detail))
        return;
    if (str_starts(path, STR("/Properties/")))
        name = str_sub(path, sizeof("/Properties/") - 1, SIZE_MAX);
    else if (str_empty(name))
        name = xml_get_str(target, STR("Attribute"));
    fputs("      ", out);
    show_text(out, name);
    if (str_is_set(before) || str_is_set(after)) {
        fputs(": ", out);
        put_value(out, before);
        fputs(" -> ", out);
        put_value(out, after);
    } else if (str_is_set(xml_get_str(detail, STR("CausingEntity")))) {
        fputs(" (by ", out);
        show_text(out, xml_get_str(detail, STR("CausingEntity")));
        fputc(')', out);
    }
    fputs(str_eq_c(again, "Always")          ? " [needs a new resource]"
          : str_eq_c(again, "Conditionally") ? " [may need a new resource]"
                                             : "",
          out);
    fputc('\n', out);
}

static void put_change(FILE *out, const struct xml *c, struct show_counts *counts)
{
    struct str action = xml_get_str(c, STR("Action")),
               replaces = xml_get_str(c, STR("Replacement"));
    bool add = str_eq_c(action, "Add"), remove = str_eq_c(action, "Remove");
    bool replace = str_eq_c(replaces, "True"), may = str_eq_c(replaces, "Conditional");
    counts->add += add;
    counts->remove += remove;
    counts->change += !add && !remove;
    counts->replace += replace;
    fprintf(out, "  %s ", add ? "+" : remove ? "-" : "~");
    show_text(out, xml_get_str(c, STR("LogicalResourceId")));
    fputs("  ", out);
    show_text(out, xml_get_str(c, STR("ResourceType")));
    fputs(replace ? "  (replaced)\n" : may ? "  (perhaps replaced)\n" : "\n", out);
    XML_EACH(xml_get(c, STR("Details")), detail)
    put_detail(out, detail);
}

void show_changes(FILE *out, const struct xml *changes, struct show_counts *counts)
{
    XML_EACH(changes, m)
    if (xml_get(m, STR("ResourceChange")))
        put_change(out, xml_get(m, STR("ResourceChange")), counts);
}

void show_counted(FILE *out, const struct show_counts *n)
{
    fprintf(out, "%zu to add, %zu to change", n->add, n->change);
    if (n->replace)
        fprintf(out, " (%zu replaced)", n->replace);
    fprintf(out, ", %zu to remove\n", n->remove);
}
