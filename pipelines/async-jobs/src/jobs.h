/* The table of jobs, keyed by id:
 *   id S, kind S, input S   as put
 *   version N               counts changes; absent: none yet. Whoever changes a job changes it
 *   status S                absent: pending; DONE with `result` M; FAILED with `reason` S
 *
 *                put --> pending --consumer--> DONE
 *                                --error handler--> FAILED
 *
 * Invariants
 *   J1  A job is settled once: DONE and FAILED are never left, nor written again.
 *   J2  It is settled under the condition that its version is the one that was read with its input:
 *       a result is always that of the input beside it.
 *
 * Layer: pipeline. Texts live in the arena given. */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "aws.h"
#include "work.h"

enum { JOBS_TRIES_MAX = 10 };

struct jobs {
    struct aws *aws;
    struct str table;
};

struct job {
    struct str id, kind, input; /* absent: not there, or no text */
};

struct outcome {
    struct str reason; /* absent: DONE, and the result says how; else FAILED, for this */
    struct work_result result;
};

/* Says how a pending job ends. An error ends jobs_settle with it. */
typedef enum err jobs_decide(void *arg, struct arena *a, const struct job *job,
                             struct outcome *ret_outcome);

/* Reads the job and, when it is pending, writes how it ends; again with the job as it then is when
 * somebody changed it meanwhile. *ret_settled is false when there was nothing to do: it is settled,
 * or gone. ERR_CONFLICT: it changed under each of JOBS_TRIES_MAX tries; ERR_FAILED and the like as
 * aws_json, with *ret_why for the log. */
enum err jobs_settle(const struct jobs *jobs, struct arena *a, struct str id, jobs_decide *decide,
                     void *arg, bool *ret_settled, struct str *ret_why) WARN_UNUSED;

#endif
