// Transposes, copies and conversions: bit for bit, NaN included.
#include <string.h>

#include "support.h"

/// Target rows `gap` elements apart.
static void check_transpose(size_t rows, size_t columns, size_t gap) {
  begin("transpose", "%zu x %zu gap %zu", rows, columns, gap);
  size_t x_stride = columns + 2, y_stride = rows + gap, from = (rows - 1) * x_stride + columns,
         to = (columns - 1) * y_stride + rows;
  const int32_t *words = integers(from, 0, INT32_MAX - 1);
  const uint8_t *codes = bytes(from, 0, 255);
  uint32_t *words_out[2];
  uint8_t *codes_out[2];
  for (int level = 0; level < 2; level++) {
    const ck_table *t = level ? &scalar : &ours;
    t->transpose_32(words, rows, columns, x_stride, words_out[level] = take(to * 4, 3), y_stride);
    t->transpose_8(codes, rows, columns, x_stride, codes_out[level] = take(to, 3), y_stride);
  }
  same("32", words_out[0], words_out[1], to, 4);
  same("8", codes_out[0], codes_out[1], to, 1);
}

static void check_copy(size_t n) {
  begin("copy_rows", "bytes %zu", n);
  size_t rows = 5, x_stride = n + 3, y_stride = n + 1, count = (rows - 1) * y_stride + n;
  const uint8_t *x = bytes((rows - 1) * x_stride + n, 0, 255);
  uint8_t *y[2];
  for (int level = 0; level < 2; level++)
    (level ? &scalar : &ours)->copy_rows(x, rows, n, x_stride, y[level] = take(count, 3), y_stride);
  same("", y[0], y[1], count, 1);
}

static void check_halves(void) {
  size_t n = 65536;
  begin("conversion", "every half");
  uint16_t *halves = take(n * 2, 0), *back[2];
  float *there[2];
  for (size_t i = 0; i < n; i++) halves[i] = (uint16_t)i;
  for (int brain = 0; brain < 2; brain++) {
    for (int level = 0; level < 2; level++) {
      const ck_table *t = level ? &scalar : &ours;
      (brain ? t->bf16_to_f32 : t->f16_to_f32)(halves, n, there[level] = take(n * 4, 0));
      (brain ? t->f32_to_bf16 : t->f32_to_f16)(there[level], n, back[level] = take(n * 2, 0));
    }
    same(brain ? "bf16_to_f32" : "f16_to_f32", there[0], there[1], n, 4);
    same(brain ? "f32_to_bf16" : "f32_to_f16", back[0], back[1], n, 2);
  }
}

/// Numbers of all sizes; half of them lie on the boundary between two halves, or next to it.
static void check_rounding(size_t n) {
  begin("conversion", "n %zu", n);
  float *x = take(n * 4, 0);
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)random_bits();
    if (i % 2) bits = (bits & (i % 4 == 1 ? 0xFFFFF000 : 0xFFFF8000)) + (uint32_t)(i % 3) - 1;
    memcpy(x + i, &bits, 4);
  }
  uint16_t *halves[2], *brains[2];
  float *floats_of[2], *floats_of_brains[2];
  for (int level = 0; level < 2; level++) {
    const ck_table *t = level ? &scalar : &ours;
    t->f32_to_f16(x, n, halves[level] = take(n * 2, 9));
    t->f32_to_bf16(x, n, brains[level] = take(n * 2, 9));
    t->f16_to_f32(halves[level], n, floats_of[level] = take(n * 4, 9));
    t->bf16_to_f32(brains[level], n, floats_of_brains[level] = take(n * 4, 9));
  }
  same("f32_to_f16", halves[0], halves[1], n, 2);
  same("f32_to_bf16", brains[0], brains[1], n, 2);
  same("f16_to_f32", floats_of[0], floats_of[1], n, 4);
  same("bf16_to_f32", floats_of_brains[0], floats_of_brains[1], n, 4);
}

void test_movement(void) {
  static const size_t large[] = {63, 64, 65, 100};
  for (size_t rows = 1; rows <= 36; rows++)
    for (size_t columns = 1; columns <= 36; columns++) check_transpose(rows, columns, 1);
  for (size_t i = 0; i < COUNT(large); i++)
    for (size_t j = 0; j < COUNT(large); j++) check_transpose(large[i], large[j], 1);
  for (size_t rows = 1; rows <= 4; rows++)
    for (size_t columns = 1; columns <= 40; columns++) check_transpose(rows, columns, 0);
  for (size_t n = 0; n <= 100; n++) check_copy(n);
  check_copy(2048);
  check_copy(2049);
  check_halves();
  for (size_t n = 0; n <= 70; n++) check_rounding(n);
  check_rounding(200000);
}
