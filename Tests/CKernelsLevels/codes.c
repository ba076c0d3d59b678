#include <float.h>
#include <math.h>

#include "support.h"

/// Runs `call` for both levels with `y` as the output of n elements and compares.
#define BOTH(what, type, comparison, call)                       \
  {                                                              \
    type *found = take(n * sizeof(type), 7);                     \
    type *expected = take(n * sizeof(type), 7);                  \
    for (int level = 0; level < 2; level++) {                    \
      const ck_table *t = level ? &scalar : &ours;               \
      type *y = level ? expected : found;                        \
      call;                                                      \
    }                                                            \
    comparison(what, found, expected, n);                        \
  }
#define SAME_CODES(what, found, expected, n) same(what, found, expected, n, 1)

/// Values on and around the halves, where rounding shows, and values that do not fit.
static float *hard_values(size_t n, float scale) {
  static const float special[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 1e-45f, 2147483648.0f, -4e9f};
  float *x = floats(n, -140 * scale, 140 * scale);
  for (size_t i = 0; i < n; i++) {
    if (i % 4 == 0) x[i] = (float)((int)below(601) - 300) * scale + scale / 2;
    if (i % 4 == 1) x[i] = special[below(COUNT(special))];
  }
  return x;
}

static void check(size_t n) {
  static const struct {
    float scale;
    int32_t zero, lower, upper;
  } encodings[] = {{0.1f, 128, 0, 255}, {0.037f, 0, 0, 127}, {1, 255, 20, 200}, {1e-30f, 3, 0, 255}};
  for (size_t e = 0; e < COUNT(encodings); e++) {
    begin("quantize_f32_u8", "n %zu scale %g", n, (double)encodings[e].scale);
    const float *x = hard_values(n, encodings[e].scale);
    BOTH("", uint8_t, SAME_CODES,
         t->quantize_f32_u8(x, n, encodings[e].scale, encodings[e].zero, encodings[e].lower, encodings[e].upper, y))
  }
  begin("codes", "n %zu", n);
  const uint8_t *a = bytes(n, 0, 255), *b = bytes(n, 0, 255), *map = bytes(256, 0, 255);
  BOTH("dequantize_u8_f32", float, same_floats, t->dequantize_u8_f32(a, n, 0.0371f, 119, y))
  BOTH("requantize_u8", uint8_t, SAME_CODES, t->requantize_u8(a, n, 77, 0.5f, 100, 10, 240, y))
  BOTH("requantize_u8 wide", uint8_t, SAME_CODES, t->requantize_u8(a, n, 77, 1.37f, 100, 0, 255, y))
  BOTH("add_u8", uint8_t, SAME_CODES, t->add_u8(a, b, n, 100, 0.5f, 128, 0.25f, 111, 0, 255, y))
  BOTH("add_u8 wide", uint8_t, SAME_CODES, t->add_u8(a, b, n, 3, 0.71f, 250, 1.3f, 90, 30, 220, y))
  BOTH("mul_u8", uint8_t, SAME_CODES, t->mul_u8(a, b, n, 128, 120, 0.0078125f, 128, 0, 255, y))
  BOTH("mul_u8 wide", uint8_t, SAME_CODES, t->mul_u8(a, b, n, 9, 200, 0.0113f, 100, 5, 250, y))
  BOTH("lookup_u8", uint8_t, SAME_CODES, t->lookup_u8(a, n, map, y))
}

/// NaN is skipped wherever it stands; without a number the bounds are the empty ones.
static void check_minmax(size_t n) {
  for (size_t nan = 0; nan <= n; nan++) {
    begin("minmax_f32", "n %zu NaN at %zu%s", n, nan, nan == n ? " (none)" : "");
    float *x = floats(n, -5, 5), found[2], expected[2];
    if (nan < n) x[nan] = NAN;
    ours.minmax_f32(x, n, found, found + 1);
    scalar.minmax_f32(x, n, expected, expected + 1);
    same_floats("", found, expected, 2);
  }
  begin("minmax_f32", "n %zu all NaN", n);
  float *x = floats(n, 0, 1), found[2];
  for (size_t i = 0; i < n; i++) x[i] = NAN;
  ours.minmax_f32(x, n, found, found + 1);
  expect("", found[0] == INFINITY && found[1] == -INFINITY);
}

/// Every pair of codes.
static void check_pairs(void) {
  size_t n = 65536;
  begin("codes", "all pairs");
  uint8_t *a = take(n, 0), *b = take(n, 0);
  for (size_t i = 0; i < n; i++) a[i] = (uint8_t)i, b[i] = (uint8_t)(i >> 8);
  BOTH("add_u8", uint8_t, SAME_CODES, t->add_u8(a, b, n, 100, 0.5f, 90, 0.75f, 120, 0, 255, y))
  BOTH("mul_u8", uint8_t, SAME_CODES, t->mul_u8(a, b, n, 100, 90, 0.03125f, 120, 0, 255, y))
}

void test_codes(void) {
  for (size_t n = 0; n <= 70; n++) check(n);
  check(1000);
  for (size_t n = 0; n <= 40; n++) check_minmax(n);
  check_pairs();
}
