/* What is measured: one call of a service each, at a number of connections.
 * Layer: bench. */
#ifndef WEIR_BENCH_SCENARIOS_H
#define WEIR_BENCH_SCENARIOS_H

#include "aws.h"

enum { SCENARIO_CONNECTIONS = 64, BENCH_FUNCTIONS_MAX = 8 };

/* A package whose handler answers with its event. */
struct bench_function {
    const char *runtime, *zip; /* "provided.al2023", path */
};

struct bench {
    struct aws aws;
    const struct bench_function *functions; /* the first is in C; none: invoke is left out */
    size_t n_functions;
    struct bench_function consumer; /* of mappings; no zip: they are left out */
    const char *proxy; /* package of the function behind the API; NULL: its rows are left out */
    bool has_role;     /* setup_role made it */
    double scale;      /* of request counts: 1 is the whole benchmark */
    unsigned wrong;    /* scenarios with a failed request */
};

/* Prints one row of the results table. `budget` is DESIGN's figure as text, "" for none. */
void print_header(void);
void print_row(const struct bench *b, const char *name, const struct load_result *r,
               const char *budget);

/* Each prints its rows. ERR_IO when the server broke off, ERR_FAILED when it cannot be set up. */
enum err scenario_http(struct bench *b) WARN_UNUSED;
enum err scenario_dynamodb(struct bench *b) WARN_UNUSED;
enum err scenario_sqs(struct bench *b) WARN_UNUSED;
enum err scenario_s3(struct bench *b) WARN_UNUSED;
enum err scenario_lambda(struct bench *b) WARN_UNUSED;
enum err scenario_events(struct bench *b) WARN_UNUSED;
enum err scenario_apigateway(struct bench *b) WARN_UNUSED;
enum err scenario_mapping(struct bench *b) WARN_UNUSED;
enum err scenario_cloudwatch(struct bench *b) WARN_UNUSED;
/* What a second costs in which nobody asks anything, with all that the others made still there. */
enum err scenario_idle(struct bench *b) WARN_UNUSED;
/* Cost at 10^4 and at 10^6 items; at a queue's depth of 10^2 and 10^5. */
enum err growth_dynamodb(struct bench *b) WARN_UNUSED;
enum err growth_sqs(struct bench *b) WARN_UNUSED;

#endif
