#include <math.h>

#include "support.h"

typedef struct {
  ck_rows rows;
  const float *b, *bias, *residual;
} operands;

/// C with every row n + 2 apart, so that a write beside the columns shows.
static float *run(const ck_table *table, product_size s, const operands *o, float lower, float upper, int split) {
  void *packed = take(table->packed_bytes_f32(s.n, s.taps, s.k), 0xFF);
  table->pack_f32(s.n, s.taps, s.k, o->b, packed);
  size_t stride = s.n + 2;
  float *c = take(((s.m - 1) * stride + s.n) * 4, 0x41);
  ck_gemm_f32 g = {o->rows, s.n, packed, o->bias, c, stride, o->residual, s.n, lower, upper};
  for (size_t p = 0; split && p < 4; p++) {
    part q = part_of(p, s.m, s.n);
    table->gemm_f32(&g, q.m0, q.m1, q.n0, q.n1);
  }
  if (!split) table->gemm_f32(&g, 0, s.m, 0, s.n);
  return c;
}

static float *magnitudes(const float *x, size_t n) {
  float *y = take(n * 4, 0);
  for (size_t i = 0; i < n; i++) y[i] = fabsf(x[i]);
  return y;
}

static void check(product_size s) {
  begin("gemm_f32", "m %zu n %zu taps %zu k %zu%s", s.m, s.n, s.taps, s.k, s.indirect ? " indirect" : "");
  size_t count = (s.m - 1) * (s.n + 2) + s.n, depth = s.taps * s.k;
  operands o = {rows_of_floats(s), floats(s.n * depth, -1, 1), NULL, NULL};
  // Σ|a·b| is the product of the magnitudes.
  size_t length = s.indirect ? (s.m + s.taps + 3) * s.k : (s.m - 1) * o.rows.stride + s.k;
  operands positive = {o.rows, magnitudes(o.b, s.n * depth), NULL, NULL};
  positive.rows.a = magnitudes(o.rows.a, length);
  float *allowed = run(&scalar, s, &positive, -INFINITY, INFINITY, 0);
  for (size_t i = 0; i < count; i++) allowed[i] += 2;  // bias and residual

  close_floats("plain", run(&ours, s, &o, -INFINITY, INFINITY, 0), run(&scalar, s, &o, -INFINITY, INFINITY, 0), count,
               allowed, 1e-6f, 0);
  o.bias = floats(s.n, -1, 1);
  o.residual = floats(s.m * s.n, -1, 1);
  const float *whole = run(&ours, s, &o, -1.5f, 2, 0);
  close_floats("bias residual clamp", whole, run(&scalar, s, &o, -1.5f, 2, 0), count, allowed, 1e-6f, 0);
  same_floats("in parts", run(&ours, s, &o, -1.5f, 2, 1), whole, count);
}

/// A NaN in the rows reaches its outputs and no others, through the clamp.
static void check_nan(void) {
  begin("gemm_f32", "NaN");
  product_size s = {3, 20, 1, 9, 0};
  operands o = {rows_of_floats(s), floats(s.n * s.k, -1, 1), NULL, NULL};
  ((float *)(uintptr_t)o.rows.a)[o.rows.stride + 4] = NAN;
  const float *c = run(&ours, s, &o, 0, 6, 0);
  int right = 1;
  for (size_t i = 0; i < s.m; i++)
    for (size_t j = 0; j < s.n; j++) right &= isnan(c[i * (s.n + 2) + j]) ? i == 1 : i != 1;
  expect("passes", right);
}

void test_gemm_f32(void) {
  each_size(check);
  check_nan();
}
