#include <math.h>

#include "support.h"

/// Whole zeros are those of byte rows.
typedef enum { NO_ZEROS, WHOLE_ZEROS, REAL_ZEROS } zero_kind;

typedef struct {
  size_t bits, group;
  zero_kind zeros;
  int halves;  // whether scales are float16 numbers
} format;

static const int8_t *codes;
static const float *scales, *zeros;

/// Weights of a product in a format.
static void draw(product_size s, format f) {
  int highest = 1 << (f.bits - 1);
  size_t groups = s.n * s.taps * ((s.k + f.group - 1) / f.group);
  codes = signed_bytes(s.n * s.taps * s.k, -highest, highest - 1);
  float *drawn = floats(groups, 0.01f, 0.03f);
  if (f.halves)
    for (size_t i = 0; i < groups; i++) {
      // Steps of 2^-24 make numbers below the normal ones.
      const float step = i % 3 ? 0x1p-16f : 0x1p-24f;
      drawn[i] = (i % 5 ? step : -step) * (float)(int)(drawn[i] * 30000);
    }
  scales = drawn;
  zeros = NULL;
  if (!f.zeros) return;
  float *shifts = floats(groups, (float)-highest, (float)highest - 1);
  if (f.zeros == WHOLE_ZEROS)
    for (size_t i = 0; i < groups; i++) shifts[i] = (float)(int)shifts[i];
  zeros = shifts;
}

static const void *packed_for(const ck_table *table, product_size s, format f) {
  // Packed weights sit at 64-byte addresses in a program.
  const ck_wq w = {s.n, s.taps, s.k, f.bits, f.group, codes, scales, zeros, f.zeros != REAL_ZEROS};
  size_t size = (table->packed_bytes_wq(&w) + 63) / 64 * 64;
  void *packed = take(size, 0x33);
  table->pack_wq(&w, packed);
  return packed;
}

static void *scratch_for(const ck_table *table, product_size s) {
  return take((table->wq_scratch_bytes(s.taps, s.k) + 63) / 64 * 64, 0xFF);
}

static float *run_floats(const ck_table *table, product_size s, format f, ck_gemm_wq g, int split) {
  g.packed = packed_for(table, s, f);
  g.scratch = scratch_for(table, s);
  g.c = take(((s.m - 1) * g.c_stride + s.n) * 4, 0x41);
  for (size_t p = 0; split && p < 4; p++) {
    part q = part_of(p, s.m, s.n);
    table->gemm_wq(&g, q.m0, q.m1, q.n0, q.n1);
  }
  if (!split) table->gemm_wq(&g, 0, s.m, 0, s.n);
  return g.c;
}

static float *run_codes(const ck_table *table, product_size s, format f, ck_gemm_u8wq g, int split) {
  g.packed = packed_for(table, s, f);
  g.scratch = scratch_for(table, s);
  g.c = take(((s.m - 1) * g.c_stride + s.n) * 4, 0x41);
  for (size_t p = 0; split && p < 4; p++) {
    part q = part_of(p, s.m, s.n);
    table->gemm_u8wq(&g, q.m0, q.m1, q.n0, q.n1);
  }
  if (!split) table->gemm_u8wq(&g, 0, s.m, 0, s.n);
  return g.c;
}

/// A bound of Σ|a · code · scale| of each output; rows are within -1…1.
static float *bounds(product_size s, format f) {
  size_t stride = s.n + 1, groups = (s.k + f.group - 1) / f.group;
  float *all = take(((s.m - 1) * stride + s.n) * 4, 0);
  for (size_t j = 0; j < s.n; j++) {
    float sum = 2;  // bias and residual
    for (size_t t = 0; t < s.taps; t++)
      for (size_t x = 0; x < s.k; x++) {
        size_t at = (j * s.taps + t) * groups + x / f.group;
        sum += fabsf((float)codes[(j * s.taps + t) * s.k + x] - (zeros ? zeros[at] : 0)) * fabsf(scales[at]);
      }
    for (size_t i = 0; i < s.m; i++) all[i * stride + j] = sum;
  }
  return all;
}

static void check(product_size s, format f) {
  size_t stride = s.n + 1, count = (s.m - 1) * stride + s.n;
#define CASE(name)                                                                                          \
  begin(name, "m %zu n %zu taps %zu k %zu%s bits %zu group %zu%s%s", s.m, s.n, s.taps, s.k,                 \
        s.indirect ? " indirect" : "", f.bits, f.group,                                                     \
        f.zeros == REAL_ZEROS ? " real zeros" : f.zeros ? " zeros" : "", f.halves ? " halves" : "");        \
  draw(s, f);
  CASE("gemm_wq")
  ck_gemm_wq g = {.rows = rows_of_floats(s), .m = s.m, .n = s.n, .bits = f.bits, .group = f.group,
                  .bias = floats(s.n, -1, 1), .c_stride = stride, .residual = floats(s.m * s.n, -1, 1),
                  .residual_stride = s.n, .lower = -100, .upper = 100};
  const float *whole = run_floats(&ours, s, f, g, 0);
  close_floats("", whole, run_floats(&scalar, s, f, g, 0), count, bounds(s, f), 1e-6f, 0);
  same_floats("in parts", run_floats(&ours, s, f, g, 1), whole, count);
  g.bias = g.residual = NULL;
  close_floats("no bias", run_floats(&ours, s, f, g, 0), run_floats(&scalar, s, f, g, 0), count, bounds(s, f), 1e-6f,
               0);

  if (f.zeros == REAL_ZEROS) return;
  CASE("gemm_u8wq")
  ck_gemm_u8wq u = {.rows = rows_of_bytes(s, 97), .n = s.n, .bits = f.bits, .group = f.group, .a_zero = 97,
                    .a_scale = 0.013f, .bias_f = floats(s.n, -1, 1), .c_stride = stride, .lower = -5000,
                    .upper = 5000};
  const float *expected = run_codes(&scalar, s, f, u, 0);
  same_floats("", run_codes(&ours, s, f, u, 0), expected, count);
  same_floats("in parts", run_codes(&ours, s, f, u, 1), expected, count);
  u.a_zeros = integers(s.m, 0, 255);
  u.a_scales = floats(s.m, 0.5f, 2);
  u.bias_f = NULL;
  same_floats("per row", run_codes(&ours, s, f, u, 0), run_codes(&scalar, s, f, u, 0), count);
}

void test_gemm_wq(void) {
  static const product_size shapes[] = {
    {1, 70, 1, 256, 0},  {1, 16, 1, 33, 0}, {1, 130, 1, 1, 0},  {2, 40, 1, 127, 0}, {3, 17, 1, 64, 0},
    {4, 33, 1, 65, 0},   {5, 20, 1, 48, 0}, {29, 50, 1, 100, 0}, {7, 35, 1, 1024, 0}, {1, 20, 9, 20, 1},
    {2, 5, 1, 0, 0},     {16, 24, 9, 3, 1}, {9, 40, 25, 36, 1}, {6, 33, 4, 16, 1}, {2, 77, 2, 96, 1},
  };
  static const size_t all_bits[] = {8, 4, 2}, groups[] = {32, 16, 128, 5, 4096};
  for (size_t b = 0; b < COUNT(all_bits); b++)
    for (size_t g = 0; g < COUNT(groups); g++)
      for (int kind = 0; kind < 6; kind++) {
        format f = {all_bits[b], groups[g], (zero_kind)(kind % 3), kind / 3};
        for (size_t i = 0; i < COUNT(shapes); i++) check(shapes[i], f);
        for (size_t m = 1; m <= 29; m++) check((product_size){m, 13, 1, 20, 0}, f);
        for (size_t n = 1; n <= 35; n++) check((product_size){1 + n % 4, n, 1, 36, 0}, f);
        for (size_t k = 1; k <= 68; k++) check((product_size){k % 8 + 1, 9, 1, k, 0}, f);
      }
}
