#include <math.h>
#include <string.h>

#include "support.h"

/// Σ|term| of each sum allows this much; a lone chain of floats is off by less.
static const float relative = 2e-6f;

static float *copy(const float *x, size_t n) { return memcpy(take(n * 4, 0), x, n * 4); }

static float *magnitudes(const float *x, size_t n) {
  float *y = take(n * 4, 0);
  for (size_t i = 0; i < n; i++) y[i] = fabsf(x[i]);
  return y;
}

// --- fake quantization

static const float scale = 0.125f, lowest = -4, highest = 7;

/// On both sides of the bounds; whole and half codes when `hard`, and values that are none.
static float *values_of(size_t n, int hard) {
  static const float special[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 3e38f, 1e-45f};
  float *x = floats(n, -9 * scale, 12 * scale);
  for (size_t i = 0; hard && i < n; i++) {
    if (i % 3 == 0) x[i] = (float)((int)below(41) - 16) * scale / 2;
    if (i % 3 == 1) x[i] = special[below(COUNT(special))];
  }
  return x;
}

static void check_fake(size_t n) {
  begin("fake_quantize_f32", "n %zu", n);
  float *found = take(n * 4, 0x41), *expected = take(n * 4, 0x41);
  for (int hard = 0; hard < 2; hard++) {
    float *x = values_of(n, hard), step = hard ? scale : 0.037f;
    ours.fake_quantize_f32(x, n, step, lowest, highest, found);
    scalar.fake_quantize_f32(x, n, step, lowest, highest, expected);
    same_floats(hard ? "hard" : "", found, expected, n);
    ours.fake_quantize_f32(x, n, step, lowest, highest, x);
    same_floats("in place", x, expected, n);
  }

  begin("fake_quantize_gradient_f32", "n %zu", n);
  for (int hard = 0; hard < 2; hard++) {
    const float *x = values_of(n, hard), *dy = floats(n, -1, 1);
    float *dx[2], sums[2][2], allowed[2] = {2, 2};
    for (size_t i = 0; i < n; i++) allowed[0] += 7 * fabsf(dy[i]), allowed[1] += fabsf(dy[i]);
    for (int level = 0; level < 2; level++) {
      const ck_table *t = level ? &scalar : &ours;
      dx[level] = copy(dy, n);
      sums[level][0] = 2, sums[level][1] = -1;
      t->fake_quantize_gradient_f32(x, dx[level], n, scale, lowest, highest, dx[level], sums[level]);
    }
    same_floats("dx", dx[0], dx[1], n);
    close_floats("sums", sums[0], sums[1], 2, allowed, relative, 0);
  }
}

static void check_columns(size_t rows, size_t n) {
  begin("fake_quantize_columns", "rows %zu n %zu", rows, n);
  size_t count = rows * n;
  const float *x = floats(count, -1, 1), *dy = floats(count, -1, 1);
  float *scales = floats(n, 0.05f, 0.3f), *low = take(n * 4, 0), *high = take(n * 4, 0), *allowed = take(n * 4, 0);
  for (size_t j = 0; j < n; j++) low[j] = -(float)below(5), high[j] = (float)below(8), allowed[j] = 2;
  for (size_t i = 0; i < count; i++) allowed[i % n] += 7 * fabsf(dy[i]);
  float *y[2], *dx[2], *sums[2], *outside[2];
  for (int level = 0; level < 2; level++) {
    const ck_table *t = level ? &scalar : &ours;
    y[level] = take(count * 4, 0x41);
    dx[level] = copy(dy, count);
    sums[level] = take(n * 4, 0);
    outside[level] = take(n * 4, 0);
    for (size_t j = 0; j < n; j++) sums[level][j] = 1, outside[level][j] = -2;
    t->fake_quantize_columns_f32(x, rows, n, scales, low, high, y[level]);
    t->fake_quantize_columns_gradient_f32(x, dx[level], rows, n, scales, low, high, dx[level], sums[level],
                                          outside[level]);
  }
  same_floats("y", y[0], y[1], count);
  same_floats("dx", dx[0], dx[1], count);
  close_floats("scale sums", sums[0], sums[1], n, allowed, relative, 0);
  close_floats("outside sums", outside[0], outside[1], n, allowed, relative, 0);
}

/// By hand: 0.3 / 0.25 = 1.2 is inside, 9 above, -3 below.
static void check_fake_by_hand(void) {
  begin("fake_quantize_gradient_f32", "by hand");
  const float x[] = {0.3125f, 9, -3, 0.375f}, dy[] = {1, 2, 4, 8}, right[] = {0.25f, 1.75f, -1, 0.5f};
  const float right_dx[] = {1, 0, 0, 8}, right_sums[] = {-0.25f + 14 - 16 + 4, 6};
  const ck_table *tables[] = {&ours, &scalar};
  for (size_t level = 0; level < 2; level++) {
    float y[4], dx[4], sums[2] = {0, 0};
    tables[level]->fake_quantize_f32(x, 4, 0.25f, lowest, highest, y);
    tables[level]->fake_quantize_gradient_f32(x, dy, 4, 0.25f, lowest, highest, dx, sums);
    same_floats("y", y, right, 4);
    same_floats("dx", dx, right_dx, 4);
    same_floats("sums", sums, right_sums, 2);
  }
}

// --- products summed over rows

/// c of rows n + 2 apart; `split` in parts of taps, k and rows.
static float *run_outer(const ck_table *t, product_size s, ck_rows rows, const float *b, int split) {
  size_t stride = s.n + 2, height = s.taps * s.k, count = (height - 1) * stride + s.n;
  float *c = take(count * 4, 0x41);
  for (size_t i = 0; i < height; i++)
    for (size_t j = 0; j < s.n; j++) c[i * stride + j] = 0.5f;
  ck_outer_f32 o = {rows, b, s.n + 3 * (s.m % 2), s.n, c, stride};
  if (!split) {
    t->outer_f32(&o, 0, s.taps, 0, s.k, 0, s.m);
    return c;
  }
  for (size_t part = 0; part < 8; part++) {
    size_t taps = s.taps / 2, k = s.k / 3, m = s.m / 3;
    t->outer_f32(&o, part & 1 ? taps : 0, part & 1 ? s.taps : taps, part & 2 ? k : 0, part & 2 ? s.k : k,
                 part & 4 ? m : 0, part & 4 ? s.m : m);
  }
  return c;
}

static void check_outer(product_size s) {
  if (s.k == 0 || s.taps * s.k * s.n > 200000) return;
  begin("outer_f32", "m %zu n %zu taps %zu k %zu%s", s.m, s.n, s.taps, s.k, s.indirect ? " indirect" : "");
  size_t count = (s.taps * s.k - 1) * (s.n + 2) + s.n, b_count = (s.m - 1) * (s.n + 3 * (s.m % 2)) + s.n;
  ck_rows rows = rows_of_floats(s), positive = rows;
  rows.padding = positive.padding = NULL;
  const float *b = floats(b_count, -1, 1);
  size_t length = s.indirect ? (s.m + s.taps + 3) * s.k : (s.m - 1) * rows.stride + s.k;
  positive.a = magnitudes(rows.a, length);
  const float *allowed = run_outer(&scalar, s, positive, magnitudes(b, b_count), 0);
  const float *whole = run_outer(&ours, s, rows, b, 0);
  close_floats("", whole, run_outer(&scalar, s, rows, b, 0), count, allowed, relative, 0);
  same_floats("in parts", run_outer(&ours, s, rows, b, 1), whole, count);
}

static void check_outers(void) {
  static const size_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 28, 29, 31, 32, 33, 48, 49, 63, 64, 65};
  static const size_t taps[] = {1, 2, 3, 5, 9, 10, 25};
  for (size_t k = 0; k < COUNT(sizes); k++)
    for (size_t n = 0; n < COUNT(sizes); n++) {
      check_outer((product_size){5 + k % 2, sizes[n], 1, sizes[k], 0});
      check_outer((product_size){7, sizes[n], 1 + n % 3, sizes[k], 1});
    }
  for (size_t t = 0; t < COUNT(taps); t++)
    for (size_t k = 0; k < COUNT(sizes); k++)
      for (size_t n = 1; n <= 33; n += k < 5 ? 3 : 16) check_outer((product_size){6, n, taps[t], sizes[k], 1});
  // More rows than a block holds.
  static const product_size long_ones[] = {
    {127, 16, 1, 16, 0}, {128, 33, 1, 17, 0}, {129, 16, 9, 16, 1},   {255, 20, 9, 3, 1},   {256, 16, 9, 1, 1},
    {257, 16, 1, 16, 0}, {258, 7, 25, 4, 1},  {300, 40, 1, 1024, 0}, {513, 64, 2, 64, 1}, {1000, 17, 1, 5, 0},
  };
  for (size_t i = 0; i < COUNT(long_ones); i++) check_outer(long_ones[i]);
}

/// A skipped piece does not turn what is not finite in b into NaN.
static void check_skipped(void) {
  begin("outer_f32", "infinite b of skipped rows");
  const size_t depths[] = {1, 4, 16};
  for (size_t d = 0; d < COUNT(depths); d++) {
    size_t k = depths[d], n = 20;
    const int32_t offsets[] = {0, -1, -1, -1, (int32_t)k, 0};
    const float *a = floats(2 * k, -1, 1);
    float *b = floats(3 * n, -1, 1), *c[2];
    for (size_t j = 0; j < n; j++) b[n + j] = INFINITY;
    for (int level = 0; level < 2; level++) {
      ck_outer_f32 o = {{a, 0, offsets, 2, k, NULL}, b, n, n, c[level] = take(2 * k * n * 4, 0), n};
      (level ? &scalar : &ours)->outer_f32(&o, 0, 2, 0, k, 0, 3);
    }
    close_floats("", c[0], c[1], 2 * k * n, NULL, relative, 2);
  }
}

static void check_depthwise(window w) {
  size_t rows = window_rows(w), taps = w.kernel * w.kernel, n = w.channels, count = taps * n, stride = n + 1;
  begin("depthwise_outer_f32", "kernel %zu stride %zu channels %zu", w.kernel, w.stride, n);
  const int32_t *offsets = window_offsets(w);
  const float *a = floats(HEIGHT * WIDTH * n, -1, 1), *dy = floats((rows - 1) * stride + n, -1, 1);
  float *c[3];
  for (int run = 0; run < 3; run++) {
    const ck_table *t = run == 1 ? &scalar : &ours;
    c[run] = take(count * 4, 0);
    for (size_t i = 0; i < count; i++) c[run][i] = 0.5f;
    size_t middle = run == 2 ? rows / 3 : 0;
    t->depthwise_outer_f32(a, offsets, taps, n, dy, stride, c[run], 0, middle);
    t->depthwise_outer_f32(a, offsets, taps, n, dy, stride, c[run], middle, rows);
  }
  close_floats("", c[0], c[1], count, NULL, relative, (float)rows);
  if (ours.level != CK_SCALAR) same_floats("in parts", c[2], c[0], count);
}

static void check_sum_columns(size_t rows, size_t n) {
  begin("sum_columns_f32", "rows %zu n %zu", rows, n);
  size_t stride = n + rows % 3;
  const float *x = floats(rows ? (rows - 1) * stride + n : 0, -1, 1);
  float *found = floats(n, -1, 1), *expected = copy(found, n);
  ours.sum_columns_f32(x, rows, n, stride, found);
  scalar.sum_columns_f32(x, rows, n, stride, expected);
  close_floats("", found, expected, n, NULL, relative, (float)rows + 1);
}

// --- pools, bounds and optimizers

static void check_pools(window w) {
  size_t rows = window_rows(w), taps = w.kernel * w.kernel, n = w.channels, count = HEIGHT * WIDTH * n;
  begin("pool gradients", "kernel %zu stride %zu channels %zu", w.kernel, w.stride, n);
  const int32_t *offsets = window_offsets(w);
  float *x = floats(count, -1, 1);
  // Few different values, so that windows hold their maximum more than once.
  for (size_t i = 0; i < count; i++)
    if (below(4)) x[i] = below(9) ? (float)below(3) : below(2) ? -INFINITY : NAN;
  const float *dy = floats(rows * n, -1, 1);
  int32_t *inside = take(rows * 4, 0);
  for (size_t i = 0; i < rows * taps; i++) inside[i / taps] += offsets[i] >= 0;
  float *most[2], *mean[2];
  for (int level = 0; level < 2; level++) {
    const ck_table *t = level ? &scalar : &ours;
    most[level] = take(count * 4, 0);
    mean[level] = take(count * 4, 0);
    for (size_t i = 0; i < count; i++) most[level][i] = mean[level][i] = 0.5f;
    for (int half = 0; half < 2; half++) {
      size_t m0 = half ? rows / 3 : 0, m1 = half ? rows : rows / 3;
      t->maxpool_gradient_f32(x, offsets, taps, n, dy, most[level], m0, m1);
      t->avgpool_gradient_f32(offsets, taps, n, inside, dy, mean[level], m0, m1);
    }
  }
  same_floats("maxpool_gradient_f32", most[0], most[1], count);
  same_floats("avgpool_gradient_f32", mean[0], mean[1], count);
}

static void check_elements(size_t n) {
  begin("clamp_gradient_f32", "n %zu", n);
  float *y = floats(n, -1, 8), *found = floats(n, -1, 1), *expected = copy(found, n);
  for (size_t i = 0; i < n; i++)
    if (i % 3 == 0) y[i] = i % 2 ? 6 : i % 4 ? 0 : NAN;
  ours.clamp_gradient_f32(y, found, n, 0, 6, found);
  scalar.clamp_gradient_f32(y, expected, n, 0, 6, expected);
  same_floats("", found, expected, n);

  begin("optimizers", "n %zu", n);
  const float *gradient = floats(n, -1, 1), *w = floats(n, -1, 1), *first = floats(n, -1, 1), *second = floats(n, 0, 1);
  const ck_adam_f32 adam = {0.01f, 0.9f, 0.999f, 1e-8f, 0.02f, 0.03f, 1.5f, 20};
  float *state[2][5];
  for (int level = 0; level < 2; level++) {
    const ck_table *t = level ? &scalar : &ours;
    float **s = state[level];
    s[0] = copy(w, n), s[1] = copy(first, n), s[2] = copy(w, n), s[3] = copy(first, n), s[4] = copy(second, n);
    for (int step = 0; step < 2; step++) {
      t->sgd_f32(s[0], gradient, s[1], n, 0.05f, 0.9f, 0.01f);
      t->adam_f32(&adam, s[2], gradient, s[3], s[4], n);
    }
  }
  static const char *const names[] = {"sgd w", "sgd velocity", "adam w", "adam first", "adam second"};
  for (size_t i = 0; i < 5; i++) same_floats(names[i], state[0][i], state[1][i], n);
}

void test_training(void) {
  static const size_t rows[] = {0, 1, 2, 7, 8, 9, 31, 100};
  for (size_t n = 0; n <= 70; n++) {
    check_fake(n);
    check_elements(n);
    for (size_t r = 0; n && r < COUNT(rows); r++) {
      check_columns(rows[r], n);
      check_sum_columns(rows[r], n);
    }
  }
  check_fake(1000);
  check_fake(20000);
  check_fake_by_hand();
  check_outers();
  check_skipped();
  each_window(check_depthwise);
  each_window(check_pools);
}
