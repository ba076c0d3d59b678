// Transposes, in blocks so that both sides stay in the first cache, and copies of rows.
#include "scalar.h"

enum { BLOCK = 16 };

#define TRANSPOSE(name, type)                                                                                      \
  static void name(const void *x, size_t rows, size_t columns, size_t x_stride, void *y, size_t y_stride) {        \
    const type *from = x;                                                                                          \
    type *to = y;                                                                                                  \
    for (size_t r0 = 0; r0 < rows; r0 += BLOCK)                                                                    \
      for (size_t c0 = 0; c0 < columns; c0 += BLOCK)                                                               \
        for (size_t c = c0; c < ck_min(c0 + BLOCK, columns); c++)                                                  \
          for (size_t r = r0; r < ck_min(r0 + BLOCK, rows); r++) to[c * y_stride + r] = from[r * x_stride + c];    \
  }

TRANSPOSE(transpose_32, uint32_t)
TRANSPOSE(transpose_8, uint8_t)

static void copy_rows(const void *x, size_t rows, size_t bytes, size_t x_stride, void *y, size_t y_stride) {
  for (size_t r = 0; r < rows; r++) memcpy((char *)y + r * y_stride, (const char *)x + r * x_stride, bytes);
}

void ck_scalar_movement(ck_table *table) {
  table->transpose_32 = transpose_32;
  table->transpose_8 = transpose_8;
  table->copy_rows = copy_rows;
}
