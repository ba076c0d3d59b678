#include <math.h>
#include <string.h>

#include "support.h"

/// What the caller asks of the epilogue.
typedef struct {
  ck_output output;
  int bias, residual, per_row, affine;
  int32_t lower, upper;
} options;

static const options all[] = {
  {CK_OUT_U8, 1, 0, 0, 0, 0, 255}, {CK_OUT_U8, 0, 0, 0, 0, 30, 200}, {CK_OUT_U8, 1, 1, 0, 0, 0, 255},
  {CK_OUT_U8, 1, 0, 1, 0, 0, 255}, {CK_OUT_U8, 1, 1, 0, 1, 0, 255},  {CK_OUT_U8, 1, 0, 1, 1, 5, 250},
  {CK_OUT_S32, 1, 0, 0, 0, 0, 0},  {CK_OUT_S32, 0, 0, 1, 1, 0, 0},   {CK_OUT_F32, 1, 0, 0, 0, 0, 0},
  {CK_OUT_F32, 0, 1, 1, 0, 0, 0},  {CK_OUT_F32, 1, 0, 0, 1, 0, 0},
};

static ck_gemm_u8s8 product;  // but for what depends on the level and the options
static const int8_t *weights;
static const int32_t *bias, *a_zeros, *b_zero;
static const float *bias_f, *a_scales, *residual_f;
static const uint8_t *residual;

static void *run(const ck_table *table, product_size s, const options *o, int split) {
  void *packed = take(table->packed_bytes_s8(s.n, s.taps, s.k), 0x55);
  table->pack_s8(s.n, s.taps, s.k, weights, packed);
  ck_gemm_u8s8 g = product;
  size_t size = o->output == CK_OUT_U8 ? 1 : 4;
  g.c = take(((s.m - 1) * g.c_stride + s.n) * size, 0x41);
  g.packed = packed;
  g.output = o->output;
  g.bias = o->bias ? bias : NULL;
  g.bias_f = o->bias ? bias_f : NULL;
  g.a_zeros = o->per_row ? a_zeros : NULL;
  g.a_scales = o->per_row ? a_scales : NULL;
  g.b_zero = o->affine ? b_zero : NULL;
  g.residual = o->residual ? residual : NULL;
  g.residual_f = o->residual ? residual_f : NULL;
  g.lower = o->lower;
  g.upper = o->upper;
  for (size_t p = 0; split && p < 4; p++) {
    part q = part_of(p, s.m, s.n);
    table->gemm_u8s8(&g, q.m0, q.m1, q.n0, q.n1);
  }
  if (!split) table->gemm_u8s8(&g, 0, s.m, 0, s.n);
  return g.c;
}

/// `large`: multipliers that carry sums far beyond the codes, and infinity times no sum at all, which is NaN.
static void check_with(product_size s, int large) {
  size_t depth = s.taps * s.k;
  for (size_t o = 0; o < COUNT(all); o++) {
    begin("gemm_u8s8", "m %zu n %zu taps %zu k %zu%s output %d%s%s%s%s%s", s.m, s.n, s.taps, s.k,
          s.indirect ? " indirect" : "", all[o].output, all[o].bias ? " bias" : "", all[o].residual ? " residual" : "",
          all[o].per_row ? " per row" : "", all[o].affine ? " affine" : "", large ? " large multipliers" : "");
    int8_t *b = signed_bytes(s.n * depth, -128, 127);
    for (size_t i = 0; i < s.n * depth; i++) b[i] = b[i] > 90 ? 127 : b[i] < -90 ? -128 : b[i];
    if (large) memset(b + s.n / 2 * depth, 0, depth);
    int32_t *sums = take(s.n * 4, 0);
    for (size_t i = 0; i < s.n * depth; i++) sums[i / depth] += b[i];
    // About the spread of the sums over the spread of the codes.
    float typical = large ? 1e4f : 100 / (64 * 64 * sqrtf((float)(depth + 1)));
    float *multiplier = floats(s.n, 0.5f * typical, 2 * typical);
    if (large) multiplier[s.n / 2] = INFINITY;
    weights = b;
    bias = integers(s.n, -20000, 20000);
    a_zeros = integers(s.m, 0, 255);
    b_zero = integers(s.n, -128, 127);
    bias_f = floats(s.n, -1, 1);
    a_scales = floats(s.m, 0.5f, 2);
    residual = bytes(s.m * s.n, 0, 255);
    residual_f = floats(s.m * s.n, -1, 1);
    product = (ck_gemm_u8s8){
      .rows = rows_of_bytes(s, 113), .n = s.n, .column_sums = sums, .a_zero = 113, .c_stride = s.n + 3,
      .multiplier = multiplier, .a_scale = 0.37f, .lower_f = -40, .upper_f = 60, .zero = 99, .residual_stride = s.n,
      .r_zero = 120, .branch_multiplier = 0.61f, .r_multiplier = 0.83f, .sum_zero = 101, .sum_lower = 20,
      .sum_upper = 230};
    size_t count = (s.m - 1) * (s.n + 3) + s.n, size = all[o].output == CK_OUT_U8 ? 1 : 4;
    const void *expected = run(&scalar, s, all + o, 0);
    same("", run(&ours, s, all + o, 0), expected, count, size);
    same("in parts", run(&ours, s, all + o, 1), expected, count, size);
  }
}

static void check(product_size s) { check_with(s, 0); }

void test_gemm_u8s8(void) {
  each_size(check);
  for (size_t m = 1; m < 12; m++) check_with((product_size){m, 37, 1, 24, 0}, 1);
}
