// Softmax and normalisation over rows. Sums run in four vectors of lanes, folded at the end: for rows of any length in
// use the error stays far below that of the inputs.
#include <math.h>

#include "math.h"

/// Σ f(x) over a row: `value` is of v, and a tail adds nothing.
#define CK_ROW_SUM(result, x, n, value)                                     \
  {                                                                         \
    vf sums[4] = {v_set(0), v_set(0), v_set(0), v_set(0)};                  \
    size_t i = 0;                                                           \
    for (; i + 4 * V_WIDTH <= (n); i += 4 * V_WIDTH)                        \
      for (int part = 0; part < 4; part++) {                                \
        vf v = v_load((x) + i + (size_t)part * V_WIDTH);                    \
        sums[part] = sums[part] + (value);                                  \
      }                                                                     \
    for (; i + V_WIDTH <= (n); i += V_WIDTH) {                              \
      vf v = v_load((x) + i);                                               \
      sums[0] = sums[0] + (value);                                          \
    }                                                                       \
    if (i < (n)) {                                                          \
      vf v = v_load_n((x) + i, (n)-i);                                      \
      sums[1] = sums[1] + v_first((n)-i, (value), v_set(0));                \
    }                                                                       \
    (result) = v_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));            \
  }

/// y = f(x) over a row; `value` is of v and, with GAIN, of `at` and `left` for v_load_n.
#define CK_ROW_MAP(x, n, y, value, value_n)                                 \
  {                                                                         \
    size_t i = 0;                                                           \
    for (; i + V_WIDTH <= (n); i += V_WIDTH) {                              \
      vf v = v_load((x) + i);                                               \
      v_store((y) + i, value);                                              \
    }                                                                       \
    if (i < (n)) {                                                          \
      size_t left = (n)-i;                                                  \
      vf v = v_load_n((x) + i, left);                                       \
      v_store_n((y) + i, left, value_n);                                    \
    }                                                                       \
  }

static float row_highest(const float *x, size_t n) {
  vf most = v_set(-INFINITY);
  size_t i = 0;
  for (; i + V_WIDTH <= n; i += V_WIDTH) most = v_max(v_load(x + i), most);
  if (i < n) most = v_max(v_first(n - i, v_load_n(x + i, n - i), most), most);
  return v_highest(most);
}

static void logits_f32(const float *x, size_t n, ck_logits *said) {
  ck_logits r = {.highest = row_highest(x, n)};
  while (r.best < n && x[r.best] != r.highest) r.best++;
  if (r.best == n) r.best = 0;  // there is nothing but NaN
  float before = row_highest(x, r.best), behind = row_highest(x + r.best + 1, n - r.best - 1);
  r.next = before > behind ? before : behind;
  vf highest = v_set(r.highest);
  for (size_t start = 0; start < n; start += 1024) {
    size_t i = start, end = n - start > 1024 ? start + 1024 : n;
    vf sums = v_set(0);
    for (; i + V_WIDTH <= end; i += V_WIDTH) sums = sums + v_exp(v_load(x + i) - highest);
    if (i < end) sums = sums + v_first(end - i, v_exp(v_load_n(x + i, end - i) - highest), v_set(0));
    r.sum += v_sum(sums);
  }
  *said = r;
}

CK_INLINE vf logit_difference(vf x, vf y, vf highest) {
  vf e = v_exp(x - highest);
  return v_less(v_set(0), e, e * (x - y), v_set(0));
}

static double logit_difference_f32(const float *x, const float *y, size_t n, float highest) {
  double sum = 0;
  vf top = v_set(highest);
  for (size_t start = 0; start < n; start += 1024) {
    size_t i = start, end = n - start > 1024 ? start + 1024 : n;
    vf sums = v_set(0);
    for (; i + V_WIDTH <= end; i += V_WIDTH) sums = sums + logit_difference(v_load(x + i), v_load(y + i), top);
    if (i < end) {
      vf last = logit_difference(v_load_n(x + i, end - i), v_load_n(y + i, end - i), top);
      sums = sums + v_first(end - i, last, v_set(0));
    }
    sum += v_sum(sums);
  }
  return sum;
}

static void softmax_f32(const float *x, size_t rows, size_t n, float *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    vf highest = v_set(row_highest(x, n));
    vf sums = v_set(0);
    size_t i = 0;
    for (; i + V_WIDTH <= n; i += V_WIDTH) {
      vf e = v_exp(v_load(x + i) - highest);
      v_store(y + i, e);
      sums = sums + e;
    }
    if (i < n) {
      vf e = v_exp(v_load_n(x + i, n - i) - highest);
      v_store_n(y + i, n - i, e);
      sums = sums + v_first(n - i, e, v_set(0));
    }
    vf scale = v_set(1 / v_sum(sums));
    CK_ROW_MAP(y, n, y, v * scale, v * scale)
  }
}

static void layernorm_f32(const float *x, size_t rows, size_t n, float epsilon, const float *gain, const float *bias,
                          float *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    float sum, squares;
    CK_ROW_SUM(sum, x, n, v)
    vf mean = v_set(sum / (float)n);
    CK_ROW_SUM(squares, x, n, (v - mean) * (v - mean))
    vf scale = v_set(1 / sqrtf(squares / (float)n + epsilon));
    if (gain && bias)
      CK_ROW_MAP(x, n, y, v_fma((v - mean) * scale, v_load(gain + i), v_load(bias + i)),
                 v_fma((v - mean) * scale, v_load_n(gain + i, left), v_load_n(bias + i, left)))
    else if (gain)
      CK_ROW_MAP(x, n, y, (v - mean) * scale * v_load(gain + i), (v - mean) * scale * v_load_n(gain + i, left))
    else if (bias)
      CK_ROW_MAP(x, n, y, v_fma(v - mean, scale, v_load(bias + i)), v_fma(v - mean, scale, v_load_n(bias + i, left)))
    else
      CK_ROW_MAP(x, n, y, (v - mean) * scale, (v - mean) * scale)
  }
}

static void rmsnorm_f32(const float *x, size_t rows, size_t n, float epsilon, const float *gain, float *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    float squares;
    CK_ROW_SUM(squares, x, n, v * v)
    vf scale = v_set(1 / sqrtf(squares / (float)n + epsilon));
    if (gain)
      CK_ROW_MAP(x, n, y, v * scale * v_load(gain + i), v * scale * v_load_n(gain + i, left))
    else
      CK_ROW_MAP(x, n, y, v * scale, v * scale)
  }
}

static float sum_f32(const float *x, size_t n) {
  float sum;
  CK_ROW_SUM(sum, x, n, v)
  return sum;
}

static void fill_normalize(ck_table *table) {
  table->logits_f32 = logits_f32;
  table->logit_difference_f32 = logit_difference_f32;
  table->softmax_f32 = softmax_f32;
  table->layernorm_f32 = layernorm_f32;
  table->rmsnorm_f32 = rmsnorm_f32;
  table->sum_f32 = sum_f32;
}
