/* ubjson.h: the UBJSON side of document.h, what core/json.h is for JSON; nobody else calls it.
 *
 * UBJSON as XGBoost writes it (universal binary JSON draft 12: markers { [ S C i U I l L d D T F Z
 * N, big endian, keys without S, "[$d#L" typed and "[#L" counted arrays without an end marker;
 * src/common/json.cc of XGBoost). The items of a typed array are *packed*: they lie side by side
 * without markers, and are read in one loop, or passed in one step.
 *
 * Failures, lifetime and thread are document.h's.
 */
#ifndef SCORING_UBJSON_H
#define SCORING_UBJSON_H

#include "scoring/document.h"

enum document_type ubjson_peek(const struct document *d);

/* Enters a container, marker { or [. A count it claims has at least a byte for each item behind it,
 * and all bytes of packed ones. */
bool ubjson_enter(struct document *d, char marker);

/* Whether the open container has one more element; leaves it when not. closing: } or ]. */
bool ubjson_has_more(struct document *d, char closing);

/* The marker of the next value: its own, or the typed array's. 0 on failure. */
char ubjson_marker(struct document *d);

/* What stands behind a marker (or is a key). */
bool ubjson_text(struct document *d, struct json_text *text);
bool ubjson_number(struct document *d, char type, double *value);

bool ubjson_skip(struct document *d);

/* Appends the items of the array that was just entered, and passes them, where they are packed in
 * one of the types that XGBoost uses for such a list and all have a place there; else takes
 * nothing. */
void ubjson_packed_floats(struct document *d, struct floats *list);
void ubjson_packed_int32s(struct document *d, struct int32s *list);

#endif
