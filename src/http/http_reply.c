/* Reply heads: status line and header fields into a buffer.
 *
 * Layer: http; pure. */
#include "http/http_int.h"

#include <string.h>

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].reason;
    return "Status"; /* RFC 9112 section 4: the phrase carries no meaning */
}

/* Header values may hold what a request said (percent-decoded): never let one end the line. */
void http_reply_value(struct str value, char *ret_text)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.p[i];
        ret_text[i] = c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
}

static void add_value(struct buf *out, struct str value)
{
    char *d = buf_reserve(out, value.len);
    if (!d)
        return;
    http_reply_value(value, d);
    buf_grew(out, value.len);
}

/* Those that the framing writes itself. */
static bool is_ours(const struct http_header *h)
{
    switch (h->name.len) {
    case 4:
        return str_eq_nocase(h->name, STR("Date"));
    case 10:
        return str_eq_nocase(h->name, STR("Connection"));
    case 14:
        return str_eq_nocase(h->name, STR("Content-Length"));
    case 17:
        return str_eq_nocase(h->name, STR("Transfer-Encoding"));
    default:
        return false;
    }
}

bool http_reply_drops(const struct http_reply_head *head, const struct http_header *h)
{
    /* For HEAD the handler may tell the length itself. */
    return is_ours(h) && (!head->is_head || h->name.len != sizeof("Content-Length") - 1);
}

void http_reply_head_write(struct buf *out, const struct http_reply_head *head)
{
    bool own_length = false;
    if (head->status == 200) {
        BUF_ADD_LIT(out, "HTTP/1.1 200 OK\r\nDate: ");
    } else {
        BUF_ADD_LIT(out, "HTTP/1.1 ");
        buf_add_i64(out, head->status);
        buf_add_byte(out, ' ');
        buf_add_c(out, http_reason(head->status));
        BUF_ADD_LIT(out, "\r\nDate: ");
    }
    buf_add_str(out, head->date);
    BUF_ADD_LIT(out, "\r\n");
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct http_header *h = &head->headers[i];
        if (is_ours(h)) {
            if (http_reply_drops(head, h))
                continue;
            own_length = true;
        }
        add_value(out, h->name);
        BUF_ADD_LIT(out, ": ");
        add_value(out, h->value);
        BUF_ADD_LIT(out, "\r\n");
    }
    if (head->chunked) {
        BUF_ADD_LIT(out, "Transfer-Encoding: chunked\r\n");
    } else if (head->length >= 0 && !own_length) {
        BUF_ADD_LIT(out, "Content-Length: ");
        buf_add_i64(out, head->length);
        BUF_ADD_LIT(out, "\r\n");
    }
    if (head->close)
        BUF_ADD_LIT(out, "Connection: close\r\n");
    BUF_ADD_LIT(out, "\r\n");
}
