// Softmax and normalisation over rows, and the sum; sums run in double, so that this level is the accurate one.
#include <math.h>

#include "scalar.h"

static void softmax_f32(const float *x, size_t rows, size_t n, float *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    float highest = -INFINITY;
    for (size_t i = 0; i < n; i++) highest = highest > x[i] ? highest : x[i];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
      y[i] = expf(x[i] - highest);
      sum += y[i];
    }
    float scale = (float)(1 / sum);
    for (size_t i = 0; i < n; i++) y[i] *= scale;
  }
}

static void layernorm_f32(const float *x, size_t rows, size_t n, float epsilon, const float *gain, const float *bias,
                          float *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    float mean = (float)(sum / (double)n);
    for (size_t i = 0; i < n; i++) squares += (double)(x[i] - mean) * (x[i] - mean);
    float scale = (float)(1 / sqrt(squares / (double)n + epsilon));
    for (size_t i = 0; i < n; i++) {
      float v = (x[i] - mean) * scale;
      if (gain) v *= gain[i];
      if (bias) v += bias[i];
      y[i] = v;
    }
  }
}

static void rmsnorm_f32(const float *x, size_t rows, size_t n, float epsilon, const float *gain, float *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)x[i] * x[i];
    float scale = (float)(1 / sqrt(squares / (double)n + epsilon));
    for (size_t i = 0; i < n; i++) y[i] = gain ? x[i] * scale * gain[i] : x[i] * scale;
  }
}

static float sum_f32(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return (float)sum;
}

static void logits_f32(const float *x, size_t n, ck_logits *said) {
  ck_logits r = {.highest = x[0], .next = -INFINITY};
  for (size_t i = 1; i < n; i++) {
    if (x[i] > r.highest) {
      r.next = r.highest;
      r.highest = x[i];
      r.best = i;
    } else if (x[i] > r.next) {
      r.next = x[i];
    }
  }
  for (size_t i = 0; i < n; i++) r.sum += expf(x[i] - r.highest);
  *said = r;
}

static double logit_difference_f32(const float *x, const float *y, size_t n, float highest) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    float e = expf(x[i] - highest);
    if (e > 0) sum += (double)e * (x[i] - y[i]);
  }
  return sum;
}

void ck_scalar_normalize(ck_table *table) {
  table->logits_f32 = logits_f32;
  table->logit_difference_f32 = logit_difference_f32;
  table->softmax_f32 = softmax_f32;
  table->layernorm_f32 = layernorm_f32;
  table->rmsnorm_f32 = rmsnorm_f32;
  table->sum_f32 = sum_f32;
}
