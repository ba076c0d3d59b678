// What training adds, the specification. Nothing is contracted, so that codes and the steps of optimizers are equal at
// every level; sums are taken in double.
#include <math.h>

#include "scalar.h"

#pragma clang fp contract(off)

static void fake_quantize_f32(const float *x, size_t n, float scale, float lowest, float highest, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = scale * ck_clamp(rintf(x[i] / scale), lowest, highest);
}

/// One value: what it adds to the sums of its scale, and dx.
static float gradient_of(float x, float dy, float scale, float lowest, float highest, double *scale_sum,
                         double *outside_sum) {
  float v = x / scale;
  if (lowest <= v && v <= highest) {
    *scale_sum += dy * (rintf(v) - v);
    return dy;
  }
  *scale_sum += dy * ck_clamp(v, lowest, highest);
  *outside_sum += dy;
  return 0;
}

static void fake_quantize_gradient_f32(const float *x, const float *dy, size_t n, float scale, float lowest,
                                       float highest, float *dx, float *sums) {
  double scale_sum = sums[0], outside_sum = sums[1];
  for (size_t i = 0; i < n; i++) dx[i] = gradient_of(x[i], dy[i], scale, lowest, highest, &scale_sum, &outside_sum);
  sums[0] = (float)scale_sum;
  sums[1] = (float)outside_sum;
}

static void fake_quantize_columns_f32(const float *x, size_t rows, size_t n, const float *scale, const float *lowest,
                                      const float *highest, float *y) {
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < n; j++)
      y[r * n + j] = scale[j] * ck_clamp(rintf(x[r * n + j] / scale[j]), lowest[j], highest[j]);
}

static void fake_quantize_columns_gradient_f32(const float *x, const float *dy, size_t rows, size_t n,
                                               const float *scale, const float *lowest, const float *highest, float *dx,
                                               float *scale_sums, float *outside_sums) {
  for (size_t j = 0; j < n; j++) {
    double scale_sum = scale_sums[j], outside_sum = outside_sums[j];
    for (size_t i = j; i < rows * n; i += n)
      dx[i] = gradient_of(x[i], dy[i], scale[j], lowest[j], highest[j], &scale_sum, &outside_sum);
    scale_sums[j] = (float)scale_sum;
    outside_sums[j] = (float)outside_sum;
  }
}

static void outer_f32(const ck_outer_f32 *o, size_t t0, size_t t1, size_t k0, size_t k1, size_t m0, size_t m1) {
  const ck_rows *rows = &o->rows;
  for (size_t m = m0; m < m1; m++) {
    const float *b = o->b + m * o->b_stride;
    for (size_t t = t0; t < t1; t++) {
      if (rows->offsets && rows->offsets[m * rows->taps + t] < 0) continue;
      const float *a = ck_piece(rows, m, t, sizeof(float));
      for (size_t i = k0; i < k1; i++) {
        float *c = o->c + (t * rows->k + i) * o->c_stride;
        for (size_t j = 0; j < o->n; j++) c[j] += a[i] * b[j];
      }
    }
  }
}

static void depthwise_outer_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, const float *dy,
                                size_t dy_stride, float *c, size_t m0, size_t m1) {
  for (size_t m = m0; m < m1; m++)
    for (size_t t = 0; t < taps; t++) {
      int32_t offset = offsets[m * taps + t];
      if (offset < 0) continue;
      for (size_t ch = 0; ch < channels; ch++) c[t * channels + ch] += a[(size_t)offset + ch] * dy[m * dy_stride + ch];
    }
}

static void maxpool_gradient_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, const float *dy,
                                 float *dx, size_t m0, size_t m1) {
  for (size_t m = m0; m < m1; m++) {
    const int32_t *o = offsets + m * taps;
    for (size_t ch = 0; ch < channels; ch++) {
      float best = -INFINITY;
      for (size_t t = 0; t < taps; t++) {
        if (o[t] < 0) continue;
        float x = a[(size_t)o[t] + ch];
        best = best > x ? best : x;
      }
      for (size_t t = 0; t < taps; t++) {
        if (o[t] < 0 || a[(size_t)o[t] + ch] < best) continue;
        dx[(size_t)o[t] + ch] += dy[m * channels + ch];
        break;
      }
    }
  }
}

static void avgpool_gradient_f32(const int32_t *offsets, size_t taps, size_t channels, const int32_t *count,
                                 const float *dy, float *dx, size_t m0, size_t m1) {
  for (size_t m = m0; m < m1; m++)
    for (size_t t = 0; t < taps; t++) {
      int32_t offset = offsets[m * taps + t];
      if (offset < 0) continue;
      for (size_t ch = 0; ch < channels; ch++) dx[(size_t)offset + ch] += dy[m * channels + ch] / (float)count[m];
    }
}

static void clamp_gradient_f32(const float *y, const float *dy, size_t n, float lower, float upper, float *dx) {
  for (size_t i = 0; i < n; i++) dx[i] = y[i] > lower && y[i] < upper ? dy[i] : 0;
}

static void sum_columns_f32(const float *x, size_t rows, size_t n, size_t stride, float *y) {
  for (size_t j = 0; j < n; j++) {
    double sum = y[j];
    for (size_t r = 0; r < rows; r++) sum += x[r * stride + j];
    y[j] = (float)sum;
  }
}

static void sgd_f32(float *w, const float *gradient, float *velocity, size_t n, float rate, float momentum, float decay) {
  for (size_t i = 0; i < n; i++) {
    velocity[i] = momentum * velocity[i] + gradient[i] + decay * w[i];
    w[i] -= rate * velocity[i];
  }
}

static void adam_f32(const ck_adam_f32 *o, float *w, const float *gradient, float *first, float *second, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float g = gradient[i] + o->decay * w[i];
    first[i] = o->beta1 * first[i] + (1 - o->beta1) * g;
    second[i] = o->beta2 * second[i] + (1 - o->beta2) * (g * g);
    float step = first[i] * o->correction1 / (sqrtf(second[i] * o->correction2) + o->epsilon);
    w[i] -= o->rate * (step + o->decoupled_decay * w[i]);
  }
}

void ck_scalar_training(ck_table *table) {
  table->fake_quantize_f32 = fake_quantize_f32;
  table->fake_quantize_gradient_f32 = fake_quantize_gradient_f32;
  table->fake_quantize_columns_f32 = fake_quantize_columns_f32;
  table->fake_quantize_columns_gradient_f32 = fake_quantize_columns_gradient_f32;
  table->outer_f32 = outer_f32;
  table->depthwise_outer_f32 = depthwise_outer_f32;
  table->maxpool_gradient_f32 = maxpool_gradient_f32;
  table->avgpool_gradient_f32 = avgpool_gradient_f32;
  table->clamp_gradient_f32 = clamp_gradient_f32;
  table->sum_columns_f32 = sum_columns_f32;
  table->sgd_f32 = sgd_f32;
  table->adam_f32 = adam_f32;
}
