/* The rows of resource types by name, the names that resources are given, and the words of failures.
 * See type.h.
 *
 * Layer: svc. Thread: pure. */
#include "svc/cloudformation/type.h"

#include "svc/cloudformation/type_int.h"

const struct type_row *type_find(struct str name)
{
    size_t low = 0, high = type_n_rows;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(name, type_rows[mid].name);
        if (order == 0)
            return &type_rows[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

size_t type_count(void)
{
    return type_n_rows;
}

struct str type_name_at(size_t index)
{
    return type_rows[index].name;
}

struct str type_name(const struct type_row *type)
{
    return type->name;
}

bool type_has_attribute(const struct type_row *type, struct str attribute)
{
    return json_index_of(type->attributes, attribute) != SIZE_MAX;
}

enum { NAME_MAX_ANY = 255 /* of a thing whose service has no say: its physical id */ };

/* Letters and digits of `s`, and what else a name may have. */
static void put_part(struct buf *b, struct str s, size_t max, bool plain)
{
    for (size_t i = 0, n = 0; i < s.len && n < max; i++) {
        char c = s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (plain || c != '-'))
            continue;
        buf_add_byte(b, c);
        n++;
    }
}

/* Of a name that is too long stack and logical id are cut, each to half of the room; the token never
 * is: it makes the name one of its own. Source: CloudFormation User Guide, "Name type". */
struct str type_make_name(struct type_run *run)
{
    const struct type_row *row = run->row;
    const struct type_work *w = run->work;
    const struct json *suffix = NULL;
    if (row->naming.suffix && type_eval(run, row->naming.suffix, &suffix) != ERR_OK)
        return STR_NONE;
    size_t marks = row->naming.plain ? 0 : 2;
    size_t tail = w->token.len + marks + (suffix ? suffix->text.len : 0);
    size_t max = row->naming.max ? row->naming.max : NAME_MAX_ANY;
    size_t room = max > tail ? max - tail : 0;
    size_t stack = w->stack_name.len, logical = w->logical_id.len;
    if (stack + logical > room) {
        size_t half = room / 2;
        logical = min_size(logical, stack < half ? room - stack : room - half);
        stack = room - logical;
    }
    struct buf b;
    buf_init_arena(&b, run->a, max + tail);
    put_part(&b, w->stack_name, stack, row->naming.plain);
    if (marks)
        buf_add_byte(&b, '-');
    put_part(&b, w->logical_id, logical, row->naming.plain);
    if (marks)
        buf_add_byte(&b, '-');
    buf_add_str(&b, w->token);
    if (suffix)
        buf_add_str(&b, suffix->text);
    struct str made = buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
    return row->naming.lower ? str_lower(run->a, made) : made;
}

bool type_is_read(const struct type_row *row, struct str property)
{
    for (size_t i = 0; i < row->read.n; i++)
        if (json_get(row->read.v[i].live, property) || json_get(row->read.v[i].append, property))
            return true;
    return false;
}

struct str type_reason(struct arena *a, const struct type_state *state, struct str request_token)
{
    return str_fmt(a,
                   "Resource handler returned message: \"" STR_FMT "\" (RequestToken: " STR_FMT
                   ", HandlerErrorCode: " STR_FMT ")",
                   STR_ARG(state->reason), STR_ARG(request_token), STR_ARG(state->code));
}
