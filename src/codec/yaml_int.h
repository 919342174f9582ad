/* Between the reader and the writer: which plain text is what. Layer: codec. */
#ifndef WEIR_CODEC_YAML_INT_H
#define WEIR_CODEC_YAML_INT_H

#include "codec/json.h"

/* Makes of a JSON_STRING what the core schema makes of its text as a plain scalar; false: it stays text
 * (or there was no memory: the arena says so). `old`: YAML 1.1's words for true and false, too. */
bool yaml_resolve(struct arena *a, struct json *v, bool old);

#endif
