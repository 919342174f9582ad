/* See multipart.h. */
#include "codec/multipart.h"

#include <assert.h>

#include "codec/hex.h"

enum state { PREAMBLE, LINE, LINE_END, LINE_DASH, HEAD, BODY, END };

/* The value of parameter `name` in "word; name=value; name2=\"value\""; STR_NONE. `out` gets what has escapes. */
static struct str parameter(struct str text, struct str name, char *out, size_t cap)
{
    (void)str_cut(&text, ';');
    while (str_is_set(text)) {
        size_t eq = str_find(text, '=');
        if (eq == SIZE_MAX)
            return STR_NONE;
        bool wanted = str_eq_nocase(str_trim(str_n(text.p, eq)), name);
        text = str_sub(text, eq + 1, SIZE_MAX);
        if (text.len == 0 || text.p[0] != '"') {
            struct str value = str_trim(str_cut(&text, ';'));
            if (wanted)
                return value;
            continue;
        }
        size_t n = 0, i = 1;
        for (; i < text.len && text.p[i] != '"'; i++) {
            if (text.p[i] == '\\' && i + 1 < text.len && text.p[i + 1] == '"')
                i++; /* a backslash before anything else is one (HTML, "multipart/form-data") */
            if (n < cap)
                out[n++] = text.p[i];
        }
        if (i >= text.len)
            return STR_NONE;
        if (wanted)
            return str_n(out, n);
        text = str_sub(text, i + 1, SIZE_MAX);
        (void)str_cut(&text, ';');
    }
    return STR_NONE;
}

struct str multipart_boundary(struct str content_type)
{
    char text[MULTIPART_BOUNDARY_MAX + 1];
    struct str rest = content_type, type = str_trim(str_cut(&rest, ';'));
    if (!str_eq_nocase(type, STR("multipart/form-data")))
        return STR_NONE;
    struct str found = parameter(content_type, STR("boundary"), text, sizeof(text));
    size_t at = str_is_set(found) ? str_find_str(content_type, found) : SIZE_MAX;
    bool fine = at != SIZE_MAX && found.len > 0 && found.len <= MULTIPART_BOUNDARY_MAX;
    for (size_t i = 0; fine && i < found.len; i++)
        fine = (unsigned char)found.p[i] >= ' ' && (unsigned char)found.p[i] < 0x7f;
    return fine ? str_sub(content_type, at, found.len) : STR_NONE;
}

void multipart_init(struct multipart *m, struct str boundary, const struct multipart_events *events,
                    void *arg)
{
    assert(boundary.len > 0 && boundary.len <= MULTIPART_BOUNDARY_MAX);
    *m = (struct multipart){.events = events, .arg = arg, .state = PREAMBLE};
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.p, boundary.len);
    m->delimiter_len = 4 + boundary.len;
    m->matched = 2; /* the first delimiter needs no line before it */
}

/* --- heads ------------------------------------------------------------------------------------ */

/* UTF-8''percent-encoded (RFC 5987), which stands for what a plain parameter could not say. */
static struct str extended(struct str value, char *out, size_t cap)
{
    size_t n = 0;
    struct str charset = str_cut(&value, '\''), rest = value;
    if (!str_eq_nocase(charset, STR("utf-8")) || !str_is_set(value))
        return STR_NONE;
    (void)str_cut(&rest, '\'');
    for (size_t i = 0; i < rest.len && n < cap; i++) {
        uint8_t byte = (uint8_t)rest.p[i];
        if (byte == '%' && hex_decode_to(str_sub(rest, i + 1, 2), &byte, 1) == ERR_OK)
            i += 2;
        out[n++] = (char)byte;
    }
    return str_n(out, n);
}

static void take_disposition(struct multipart *m, struct str value, struct multipart_head *head)
{
    char star[MULTIPART_HEAD_MAX];
    head->name = parameter(value, STR("name"), m->name, sizeof(m->name));
    struct str more = parameter(value, STR("filename*"), star, sizeof(star));
    head->filename = str_is_set(more) ? extended(more, m->filename, sizeof(m->filename)) : STR_NONE;
    if (!str_is_set(head->filename))
        head->filename = parameter(value, STR("filename"), m->filename, sizeof(m->filename));
}

static enum err begin_part(struct multipart *m)
{
    struct multipart_head head = {0};
    struct str rest = str_n(m->head, m->head_len);
    while (str_is_set(rest)) {
        struct str value = str_trim(str_cut(&rest, '\n'));
        struct str name = str_cut(&value, ':');
        value = str_is_set(value) ? str_trim(value) : STR("");
        if (str_eq_nocase(name, STR("content-type")))
            head.content_type = value;
        else if (str_eq_nocase(name, STR("content-disposition")))
            take_disposition(m, value, &head);
    }
    m->state = BODY;
    return str_is_set(head.name) ? m->events->part(m->arg, &head) : ERR_INVALID;
}

static enum err take_head(struct multipart *m, char c)
{
    if (m->head_len == sizeof(m->head))
        return ERR_LIMIT;
    m->head[m->head_len++] = c;
    struct str head = str_n(m->head, m->head_len);
    if (!str_ends(head, STR("\r\n\r\n")) && !str_eq(head, STR("\r\n")))
        return ERR_OK;
    m->matched = 0;
    return begin_part(m);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static enum err give(struct multipart *m, const char *p, size_t len)
{
    return m->state == BODY && len > 0 ? m->events->data(m->arg, p, len) : ERR_OK;
}

/* Up to a delimiter, or all of it; *at moves on. Only its first byte is a CR, so that a mismatch begins
 * nowhere but at the byte that does not fit. */
static enum err take_body(struct multipart *m, const char *p, size_t len, size_t *at)
{
    while (*at < len) {
        if (m->matched == 0) {
            const char *cr = memchr(p + *at, '\r', len - *at);
            size_t n = cr ? (size_t)(cr - p) - *at : len - *at;
            TRY(give(m, p + *at, n));
            *at += n;
            if (!cr)
                return ERR_OK;
        }
        if (p[*at] != m->delimiter[m->matched]) {
            size_t held = m->matched;
            m->matched = 0;
            assert(held > 0); /* a CR fits the beginning */
            TRY(give(m, m->delimiter, held));
            continue;
        }
        (*at)++;
        if (++m->matched < m->delimiter_len)
            continue;
        bool was_part = m->state == BODY;
        m->state = LINE;
        return was_part ? m->events->end(m->arg) : ERR_OK;
    }
    return ERR_OK;
}

/* Behind a delimiter: white space, then the end of its line or of everything. */
static enum err take_line(struct multipart *m, char c)
{
    switch ((enum state)m->state) {
    case LINE:
        if (c == '-')
            m->state = LINE_DASH;
        else if (c == '\r')
            m->state = LINE_END;
        else if (c != ' ' && c != '\t')
            return ERR_INVALID;
        return ERR_OK;
    case LINE_DASH:
        m->state = END;
        return c == '-' ? ERR_OK : ERR_INVALID;
    default:
        m->state = HEAD;
        m->head_len = 0;
        return c == '\n' ? ERR_OK : ERR_INVALID;
    }
}

enum err multipart_feed(struct multipart *m, const void *p, size_t len)
{
    const char *bytes = p;
    for (size_t at = 0; at < len;) {
        switch ((enum state)m->state) {
        case PREAMBLE:
        case BODY:
            TRY(take_body(m, bytes, len, &at));
            break;
        case HEAD:
            TRY(take_head(m, bytes[at++]));
            break;
        case END: /* the epilogue says nothing */
            return ERR_OK;
        default:
            TRY(take_line(m, bytes[at++]));
            break;
        }
    }
    return ERR_OK;
}

enum err multipart_finish(const struct multipart *m)
{
    return m->state == END ? ERR_OK : ERR_INVALID;
}
