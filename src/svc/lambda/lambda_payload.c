/* Checks that an invocation's payload is JSON (RFC 8259) without building a tree: a payload may
 * have 6 MB, and it is handed to the function as it came.
 *
 * Layer: svc. Thread: pure. */
#include "svc/lambda/lambda_int.h"

enum { DEPTH_MAX = 1024 };

struct scanner {
    const char *p, *end;
    uint8_t objects[DEPTH_MAX / 8]; /* bit per open bracket: an object */
    size_t depth;
};

static void skip_space(struct scanner *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool literal(struct scanner *s, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool digits(struct scanner *s)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from;
}

static bool number(struct scanner *s)
{
    if (s->p < s->end && *s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return digits(s);
    }
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool string(struct scanner *s)
{
    if (s->p == s->end || *s->p != '"')
        return false;
    for (s->p++; s->p < s->end; s->p++) {
        unsigned char c = (unsigned char)*s->p;
        if (c == '"') {
            s->p++;
            return true;
        }
        if (c < 0x20)
            return false;
        if (c != '\\')
            continue;
        s->p++;
        if (s->p == s->end)
            return false;
        if (*s->p == 'u') {
            for (int i = 0; i < 4; i++)
                if (++s->p == s->end || !is_hex(*s->p))
                    return false;
        } else if (!*s->p || !strchr("\"\\/bfnrt", *s->p)) {
            return false;
        }
    }
    return false;
}

static bool in_object(const struct scanner *s)
{
    size_t at = s->depth - 1;
    return s->objects[at / 8] >> (at % 8) & 1;
}

static bool open_bracket(struct scanner *s, bool object)
{
    if (s->depth == DEPTH_MAX)
        return false;
    uint8_t bit = (uint8_t)(1u << (s->depth % 8));
    if (object)
        s->objects[s->depth / 8] |= bit;
    else
        s->objects[s->depth / 8] &= (uint8_t)~bit;
    s->depth++;
    s->p++;
    return true;
}

/* A member's name and its colon. */
static bool name(struct scanner *s)
{
    skip_space(s);
    if (!string(s))
        return false;
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return false;
    s->p++;
    return true;
}

/* Closes what ends here; false on a fault. *ret_more: another value follows. */
static bool after_value(struct scanner *s, bool *ret_more)
{
    *ret_more = false;
    while (s->depth > 0) {
        skip_space(s);
        if (s->p == s->end)
            return false;
        bool object = in_object(s);
        if (*s->p == ',') {
            s->p++;
            *ret_more = true;
            return !object || name(s);
        }
        if (*s->p != (object ? '}' : ']'))
            return false;
        s->p++;
        s->depth--;
    }
    return true;
}

/* Starts a value. *ret_done: it is complete (no bracket was opened with something in it). */
static bool value(struct scanner *s, bool *ret_done)
{
    skip_space(s);
    *ret_done = true;
    if (s->p == s->end)
        return false;
    switch (*s->p) {
    case '{':
    case '[': {
        bool object = *s->p == '{';
        if (!open_bracket(s, object))
            return false;
        skip_space(s);
        if (s->p < s->end && *s->p == (object ? '}' : ']')) {
            s->p++;
            s->depth--;
            return true;
        }
        *ret_done = false;
        return !object || name(s);
    }
    case '"':
        return string(s);
    case 't':
        return literal(s, "true");
    case 'f':
        return literal(s, "false");
    case 'n':
        return literal(s, "null");
    default:
        return number(s);
    }
}

bool lambda_payload_is_json(struct str text, size_t *ret_at)
{
    struct scanner s = {.p = text.p, .end = text.p + text.len};
    bool done, more = true, ok = true;

    while (ok && more) {
        ok = value(&s, &done);
        if (ok && done)
            ok = after_value(&s, &more);
    }
    skip_space(&s);
    *ret_at = (size_t)(s.p - text.p);
    if (!ok || s.p != s.end)
        return false;
    return str_is_utf8(text);
}
