// Between float and codes, and arithmetic on codes. The formulas decide the rounding, so nothing may be contracted.
#include <math.h>

#include "scalar.h"

#pragma clang fp contract(off)

static void minmax_f32(const float *x, size_t n, float *lowest, float *highest) {
  float low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  *lowest = low;
  *highest = high;
}

static void quantize_f32_u8(const float *x, size_t n, float scale, int32_t zero, int32_t lower, int32_t upper,
                            uint8_t *y) {
  for (size_t i = 0; i < n; i++) y[i] = (uint8_t)ck_code(x[i] / scale, zero, lower, upper);
}

static void dequantize_u8_f32(const uint8_t *x, size_t n, float scale, int32_t zero, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = scale * (float)(x[i] - zero);
}

static void requantize_u8(const uint8_t *x, size_t n, int32_t x_zero, float multiplier, int32_t zero, int32_t lower,
                          int32_t upper, uint8_t *y) {
  for (size_t i = 0; i < n; i++) y[i] = (uint8_t)ck_code((float)(x[i] - x_zero) * multiplier, zero, lower, upper);
}

static void add_u8(const uint8_t *a, const uint8_t *b, size_t n, int32_t a_zero, float a_multiplier, int32_t b_zero,
                   float b_multiplier, int32_t zero, int32_t lower, int32_t upper, uint8_t *y) {
  for (size_t i = 0; i < n; i++) {
    float left = (float)(a[i] - a_zero) * a_multiplier, right = (float)(b[i] - b_zero) * b_multiplier;
    y[i] = (uint8_t)ck_code(left + right, zero, lower, upper);
  }
}

static void mul_u8(const uint8_t *a, const uint8_t *b, size_t n, int32_t a_zero, int32_t b_zero, float multiplier,
                   int32_t zero, int32_t lower, int32_t upper, uint8_t *y) {
  for (size_t i = 0; i < n; i++) {
    float product = (float)((a[i] - a_zero) * (b[i] - b_zero));
    y[i] = (uint8_t)ck_code(product * multiplier, zero, lower, upper);
  }
}

static void lookup_u8(const uint8_t *x, size_t n, const uint8_t *table, uint8_t *y) {
  for (size_t i = 0; i < n; i++) y[i] = table[x[i]];
}

// The compiler makes vectors of it, which is all that memory allows.
static void cap_u8(uint8_t *restrict y, size_t rows, size_t stride, const uint8_t *restrict upper, size_t n) {
  for (size_t i = 0; i < rows; i++, y += stride)
    for (size_t j = 0; j < n; j++) y[j] = y[j] < upper[j] ? y[j] : upper[j];
}

void ck_scalar_codes(ck_table *table) {
  table->minmax_f32 = minmax_f32;
  table->quantize_f32_u8 = quantize_f32_u8;
  table->dequantize_u8_f32 = dequantize_u8_f32;
  table->requantize_u8 = requantize_u8;
  table->add_u8 = add_u8;
  table->mul_u8 = mul_u8;
  table->lookup_u8 = lookup_u8;
  table->cap_u8 = cap_u8;
}
