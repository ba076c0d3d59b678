// Attention, the specification: sums run in double and scores are computed twice, so that nothing is held.
#include <math.h>

#include "scalar.h"

static size_t scratch_bytes(size_t size, size_t value_size) {
  (void)size, (void)value_size;
  return 64;
}

static float element(const float *x, const uint8_t *codes, const float *scales, size_t stride, size_t j, size_t i) {
  return x ? x[j * stride + i] : scales[j] * (float)((int)codes[j * stride + i] - 128);
}

static float score(const ck_attention_f32 *a, const float *q, size_t row, size_t j) {
  double sum = 0;
  for (size_t i = 0; i < a->size; i++) sum += (double)q[i] * element(a->k, a->k_codes, a->k_scales, a->k_stride, j, i);
  float s = (float)sum * a->scale;
  if (a->softcap > 0) s = a->softcap * tanhf(s / a->softcap);
  if (a->mask) s += a->mask[row / a->heads * a->mask_query + row % a->heads * a->mask_head + j * a->mask_key];
  return s;
}

static void attention_f32(const ck_attention_f32 *a, size_t r0, size_t r1) {
  for (size_t r = r0; r < r1; r++) {
    size_t query = r / a->heads, head = r % a->heads;
    const float *q = a->q + query * a->q_query + head * a->q_head;
    float *y = a->y + query * a->y_query + head * a->y_head;
    ck_seen seen = ck_seen_keys(a, query);
    float highest = -INFINITY;
    for (size_t j = seen.from; j < seen.to; j++) {
      float s = score(a, q, r, j);
      highest = highest > s ? highest : s;
    }
    for (size_t i = 0; i < a->value_size; i++) y[i] = 0;
    if (highest == -INFINITY) continue;
    double sum = 0;
    for (size_t j = seen.from; j < seen.to; j++) {
      float p = expf(score(a, q, r, j) - highest);
      sum += p;
      for (size_t i = 0; i < a->value_size; i++)
        y[i] += p * element(a->v, a->v_codes, a->v_scales, a->v_stride, j, i);
    }
    for (size_t i = 0; i < a->value_size; i++) y[i] = (float)(y[i] / sum);
  }
}

static void rotate_f32(const float *x, size_t size, size_t turned, int neighbours, const float *cosines,
                       const float *sines, float *y) {
  size_t half = turned / 2, step = neighbours ? 2 : 1, distance = neighbours ? 1 : half;
  for (size_t i = 0; i < half; i++) {
    float a = x[i * step], b = x[i * step + distance];
    y[i * step] = a * cosines[i] - b * sines[i];
    y[i * step + distance] = a * sines[i] + b * cosines[i];
  }
  for (size_t i = turned; i < size; i++) y[i] = x[i];
}

void ck_scalar_attention(ck_table *table) {
  table->attention_scratch_bytes = scratch_bytes;
  table->attention_f32 = attention_f32;
  table->rotate_f32 = rotate_f32;
}
