/* DNS messages (RFC 1035 section 4), as far as a resolver needs them that answers itself or passes
 * on: see net.h. Layer: net. Thread: any; pure. */
#include "net/net.h"

enum {
    HEADER = 12,
    LABEL_MAX = 63,
    NAME_MAX_BYTES = 253, /* as text; 255 on the wire */
    FLAG_RESPONSE = 0x80,
    FLAG_RECURSION_WANTED = 0x01,
    FLAG_RECURSION_THERE = 0x80,
    OPCODE = 0x78,
    TTL_S = 60,
    CLASS_IN = 1,
    ADDRESS_RECORD = 16, /* bytes */
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Labels as text. A label with a dot of its own could be taken for two, so it is refused; a question
 * stands first, so it has nothing to point back at. */
static enum err parse_name(const uint8_t *p, size_t len, size_t *at, struct net_question *q)
{
    q->name_len = 0;
    for (;;) {
        if (*at >= len)
            return ERR_INVALID;
        size_t n = p[(*at)++];
        if (n == 0)
            break;
        if (n > LABEL_MAX || *at + n > len || q->name_len + (q->name_len > 0) + n > NAME_MAX_BYTES)
            return ERR_INVALID;
        if (q->name_len > 0)
            q->name[q->name_len++] = '.';
        for (size_t i = 0; i < n; i++) {
            char c = (char)p[*at + i];
            if (c == '.' || c == '\0')
                return ERR_INVALID;
            q->name[q->name_len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        }
        *at += n;
    }
    q->name[q->name_len] = '\0';
    return ERR_OK;
}

enum err net_dns_parse(const uint8_t *p, size_t len, struct net_question *ret_q)
{
    size_t at = HEADER;
    if (len < HEADER || len > NET_DNS_MAX || p[2] & (FLAG_RESPONSE | OPCODE) || get16(p + 4) != 1)
        return ERR_INVALID;
    TRY(parse_name(p, len, &at, ret_q));
    if (at + 4 > len)
        return ERR_INVALID;
    ret_q->type = get16(p + at);
    ret_q->class = get16(p + at + 2);
    ret_q->end = at + 4;
    return ERR_OK;
}

size_t net_dns_answer(const uint8_t *p, const struct net_question *q, int rcode,
                      const struct in_addr *address, uint8_t *ret_out, size_t cap)
{
    size_t len = q->end + (address ? ADDRESS_RECORD : 0);
    if (len > cap)
        return 0;
    memcpy(ret_out, p, q->end);
    ret_out[2] = (uint8_t)(FLAG_RESPONSE | (p[2] & FLAG_RECURSION_WANTED));
    ret_out[3] = (uint8_t)(FLAG_RECURSION_THERE | rcode);
    put16(ret_out + 4, 1);
    put16(ret_out + 6, address ? 1 : 0);
    put16(ret_out + 8, 0);
    put16(ret_out + 10, 0);
    if (!address)
        return len;
    uint8_t *r = ret_out + q->end;
    put16(r, 0xc000 | HEADER); /* the question's name */
    put16(r + 2, NET_DNS_A);
    put16(r + 4, CLASS_IN);
    put16(r + 6, 0);
    put16(r + 8, TTL_S);
    put16(r + 10, sizeof *address);
    memcpy(r + 12, address, sizeof *address);
    return len;
}

bool net_dns_answers(const uint8_t *query, const struct net_question *q, const uint8_t *p,
                     size_t len)
{
    if (len < q->end || memcmp(p, query, 2) != 0 || !(p[2] & FLAG_RESPONSE) || get16(p + 4) != 1)
        return false;
    /* Resolvers may change the case of a name, nothing else. */
    return str_eq_nocase(str_n((const char *)p + HEADER, q->end - HEADER),
                         str_n((const char *)query + HEADER, q->end - HEADER));
}
