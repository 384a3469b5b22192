/* onnx_text.h: small ONNX files from text, for suites of scoring/. A line each, in any order:
 *
 *   ir 8                                 8 when it is not said
 *   opset ai.onnx.ml 3                   these two when none is: ai.onnx.ml 3, and "" (main) 17
 *   input X 2 [float|double|int64]       name, columns (0: not said), type
 *   output Y [float|double|int64|map]
 *   tensor T float 1x2 0.5,1             name, type (float, double, int64), shape (-: of no
 *                                        dimensions), numbers
 *   node OP X,T > Y,Z a=i:1 b=S:x,y      attributes: i int, f float, s text, I F S lists, D a
 *                                        tensor of doubles; names and texts have no blanks
 */
#ifndef TESTS_ONNX_TEXT_H
#define TESTS_ONNX_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The file's bytes; free() them. is_packed: repeated numbers are packed, tensors are raw bytes. */
char *onnx_text_write(const char *text, bool is_packed, size_t *len);

#endif
