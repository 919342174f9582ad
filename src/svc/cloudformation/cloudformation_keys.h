/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters).
 *
 * A stack's id is its UUID, drawn when it is made: what hangs on a stack has that in place of the scope, so
 * that a stack that was deleted stays readable by its ARN beside a new one of the same name. */
#ifndef WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_KEYS_H
#define WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_KEYS_H

#include "kv/key.h"

/* scope, stack name -> UUID of the stack that is there now */
static const struct key_layout cloudformation_k_name = {KEY_CLOUDFORMATION, 1, "St"};
/* scope, UUID -> stack record */
static const struct key_layout cloudformation_k_stack = {KEY_CLOUDFORMATION, 2, "St"};
/* UUID, number of the template, 0 original or 1 after transforms -> its text */
static const struct key_layout cloudformation_k_template = {KEY_CLOUDFORMATION, 3, "tub"};
/* UUID, logical id -> resource record */
static const struct key_layout cloudformation_k_resource = {KEY_CLOUDFORMATION, 4, "tt"};
/* UUID, stamp (kv.h, K7) -> event record */
static const struct key_layout cloudformation_k_event = {KEY_CLOUDFORMATION, 5, "tr"};
/* UUID, name of the change set -> change set record */
static const struct key_layout cloudformation_k_change_set = {KEY_CLOUDFORMATION, 6, "tt"};
/* scope, export name -> export record */
static const struct key_layout cloudformation_k_export = {KEY_CLOUDFORMATION, 7, "St"};
/* scope, export name, UUID of a stack that imports it -> the stack's name */
static const struct key_layout cloudformation_k_import = {KEY_CLOUDFORMATION, 8, "Stt"};
/* token of an address that answers are sent to -> answer record */
static const struct key_layout cloudformation_k_answer = {KEY_CLOUDFORMATION, 9, "t"};
/* scope, id of a drift detection -> detection record */
static const struct key_layout cloudformation_k_detection = {KEY_CLOUDFORMATION, 10, "St"};
/* scope, UUID of a change set -> UUID of its stack */
static const struct key_layout cloudformation_k_change_set_id = {KEY_CLOUDFORMATION, 11, "St"};

/* scope, when the stack was created (ms), its UUID -> its UUID */
static const struct key_layout cloudformation_k_order = {KEY_CLOUDFORMATION, 12, "Sit"};
/* -> nothing: all stacks are in that order */
static const struct key_layout cloudformation_k_ordered = {KEY_CLOUDFORMATION, 13, ""};

#endif
