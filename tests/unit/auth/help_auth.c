#include "help_auth.h"

#include <stdio.h>

struct str help_read_file(struct arena *a, const char *path)
{
    enum { FILE_BYTES_MAX = 1 << 20 };
    FILE *f = fopen(path, "rb");
    if (!f)
        return STR_NONE;
    char *p = arena_alloc(a, FILE_BYTES_MAX);
    size_t n = p ? fread(p, 1, FILE_BYTES_MAX, f) : 0;
    fclose(f);
    return p ? str_n(p, n) : STR_NONE;
}

static struct str without_cr(struct str s)
{
    if (s.len > 0 && s.p[s.len - 1] == '\r')
        s.len--;
    return s;
}

void help_parse_request(struct arena *a, struct str raw, struct help_request *r)
{
    memset(r, 0, sizeof(*r));
    struct str rest = raw;
    struct str first = without_cr(str_cut(&rest, '\n'));
    size_t sp = str_find(first, ' '), last = str_rfind(first, ' ');
    r->http.method = str_sub(first, 0, sp);
    struct str target = str_sub(first, sp + 1, last - sp - 1);
    r->http.query = target;
    r->http.path = str_cut(&r->http.query, '?');
    r->http.headers = r->headers;
    while (str_is_set(rest)) {
        struct str line = without_cr(str_cut(&rest, '\n'));
        if (line.len == 0)
            break;
        struct sigv4_header *h = &r->headers[r->http.n_headers];
        if ((line.p[0] == ' ' || line.p[0] == '\t') && r->http.n_headers > 0) {
            h--;
            h->value = str_fmt(a, STR_FMT " " STR_FMT, STR_ARG(h->value), STR_ARG(line));
            continue;
        }
        h->value = line;
        h->name = str_cut(&h->value, ':');
        r->http.n_headers++;
    }
    r->body = str_is_set(rest) ? rest : STR("");
}
