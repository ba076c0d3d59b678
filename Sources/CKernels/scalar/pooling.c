// Pooling on NHWC, the specification. Taps with a negative offset are skipped.
#include <math.h>

#include "scalar.h"

#pragma clang fp contract(off)

static void maxpool_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, float *c, size_t m0,
                        size_t m1) {
  for (size_t i = m0; i < m1; i++)
    for (size_t ch = 0; ch < channels; ch++) {
      float best = -INFINITY;
      for (size_t t = 0; t < taps; t++) {
        int32_t offset = offsets[i * taps + t];
        if (offset < 0) continue;
        float x = a[(size_t)offset + ch];
        best = best > x ? best : x;
      }
      c[i * channels + ch] = best;
    }
}

static void maxpool_u8(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, uint8_t *c, size_t m0,
                       size_t m1) {
  for (size_t i = m0; i < m1; i++)
    for (size_t ch = 0; ch < channels; ch++) {
      uint8_t best = 0;
      for (size_t t = 0; t < taps; t++) {
        int32_t offset = offsets[i * taps + t];
        if (offset < 0) continue;
        uint8_t x = a[(size_t)offset + ch];
        best = best > x ? best : x;
      }
      c[i * channels + ch] = best;
    }
}

static void avgpool_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, const int32_t *count,
                        float *c, size_t m0, size_t m1) {
  for (size_t i = m0; i < m1; i++)
    for (size_t ch = 0; ch < channels; ch++) {
      float sum = 0;
      for (size_t t = 0; t < taps; t++) {
        int32_t offset = offsets[i * taps + t];
        if (offset >= 0) sum += a[(size_t)offset + ch];
      }
      c[i * channels + ch] = sum / (float)count[i];
    }
}

static void avgpool_u8(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, const int32_t *count,
                       int32_t a_zero, double multiplier, int32_t zero, int32_t lower, int32_t upper, uint8_t *c,
                       size_t m0, size_t m1) {
  for (size_t i = m0; i < m1; i++) {
    float scale = (float)(multiplier / count[i]);
    for (size_t ch = 0; ch < channels; ch++) {
      int32_t sum = 0;
      for (size_t t = 0; t < taps; t++) {
        int32_t offset = offsets[i * taps + t];
        if (offset >= 0) sum += a[(size_t)offset + ch] - a_zero;
      }
      c[i * channels + ch] = (uint8_t)ck_code((float)sum * scale, zero, lower, upper);
    }
  }
}

void ck_scalar_pooling(ck_table *table) {
  table->maxpool_f32 = maxpool_f32;
  table->maxpool_u8 = maxpool_u8;
  table->avgpool_f32 = avgpool_f32;
  table->avgpool_u8 = avgpool_u8;
}
