/* What the operations on API keys and on usage plans share. Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_OP_KEY_INT_H
#define WEIR_SVC_APIGATEWAY_OP_KEY_INT_H

#include "svc/apigateway/apigateway_int.h"
#include "svc/apigateway/apigateway_patch.h"
#include "svc/apigateway/usage_int.h"
#include "svc/apigateway/usage_store.h"

/* --- keys: keys_store.c ------------------------------------------------------------------------- */

/* NotFoundException. */
enum err keys_need(struct call *call, struct str id, struct usage_key *ret) WARN_UNUSED;
enum err keys_write(struct call *call, const struct usage_key *key) WARN_UNUSED;
/* The value in the clear. */
enum err keys_value(struct call *call, const struct usage_key *key, struct str *ret) WARN_UNUSED;
/* Checks and stores a new one; `value` absent: one is made up. Sets id, sealed and times. */
enum err keys_add(struct call *call, struct usage_key *key, struct str value) WARN_UNUSED;
struct str keys_arn(struct call *call, struct str id);

/* Where requests find the key with that value. */
struct str keys_value_key(struct call *call, struct str value);

/* --- plans: keys_store.c ------------------------------------------------------------------------ */

/* Tracked. NotFoundException. */
enum err keys_plan_need(struct call *call, struct str id, struct usage_plan *ret) WARN_UNUSED;
/* Stages the record, and the change of memory. */
enum err keys_plan_write(struct call *call, const struct usage_plan *plan) WARN_UNUSED;
struct str keys_plan_arn(struct call *call, struct str id);

struct str keys_plan_key(struct call *call, struct str id); /* of its record */

/* --- members: keys_member.c --------------------------------------------------------------------- */

/* The index of the plan among the key's, or SIZE_MAX. */
size_t keys_member_place(const struct usage_key *key, struct str plan_id);

/* ConflictException: the key is in another plan with this stage of the plan's. */
enum err keys_member_conflict(struct call *call, const struct usage_plan *plan,
                              const struct usage_stage *stage) WARN_UNUSED;
/* Puts a key into a plan: checks, and writes both sides (UT2). */
enum err keys_member_add(struct call *call, const struct usage_plan *plan,
                         struct usage_key *key) WARN_UNUSED;
/* Takes it out; the key's record is the caller's to write. */
enum err keys_member_drop(struct call *call, struct str plan_id, struct usage_key *key) WARN_UNUSED;

/* --- stages: keys_stage.c ----------------------------------------------------------------------- */

/* A key has one plan at most for a stage, since a request could not say which it means: ConflictException
 * where a key of the plan is in another one with the same stage. O(keys of the plan), but only where there
 * is such a plan. */
enum err keys_stages_check(struct call *call, const struct usage_plan *plan) WARN_UNUSED;
/* The stage is deleted: no plan has it any more. */
enum err keys_stage_gone(struct call *call, struct str api_id, struct str stage) WARN_UNUSED;

/* --- documents and pages: keys_store.c ---------------------------------------------------------- */

/* A page of records: position and limit as they were asked, at most APIGATEWAY_PAGE_MAX. */
enum err keys_page(struct call *call, struct str scope, struct str position, bool has_limit,
                   int64_t limit, struct page *ret_page) WARN_UNUSED;
/* page_scan, with the service's error of a bad position. */
enum err keys_scan(struct call *call, struct page *page, struct key_range range,
                   const struct page_fns *fns, void *arg) WARN_UNUSED;
/* {"item": items, "position": ...} as the output. */
enum err keys_show_page(struct call *call, struct json *items, const struct page *page,
                        void *out) WARN_UNUSED;
/* Sets a text member where there is one. */
enum err keys_set(struct call *call, struct json *doc, const char *name,
                  struct str text) WARN_UNUSED;

#endif
