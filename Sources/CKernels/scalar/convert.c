// Half precision. To the narrower type: round half to even; NaN stays NaN, made quiet, as the hardware does it.
#include "scalar.h"

static float from_bits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

static uint32_t to_bits(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  return bits;
}

static void f16_to_f32(const uint16_t *x, size_t n, float *y) {
  for (size_t i = 0; i < n; i++) {
    uint32_t sign = (uint32_t)(x[i] & 0x8000) << 16, exponent = x[i] >> 10 & 31, mantissa = x[i] & 0x3FF;
    if (exponent == 31)
      y[i] = from_bits(sign | 0x7F800000 | mantissa << 13 | (mantissa ? 0x400000 : 0));
    else if (exponent)
      y[i] = from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    else  // subnormal: mantissa · 2^-24
      y[i] = from_bits(sign | to_bits((float)mantissa * 0x1p-24f));
  }
}

static void f32_to_f16(const float *x, size_t n, uint16_t *y) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = to_bits(x[i]), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF, code;
    if (magnitude > 0x7F800000)
      code = 0x7E00 | (magnitude >> 13 & 0x3FF);
    else if (magnitude >= 0x477FF000)  // rounds to 2^16 or more
      code = 0x7C00;
    else if (magnitude >= 0x38800000)
      code = (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13;
    else  // subnormal: adding 1/2 leaves mantissa bits of 2^-24, rounded
      code = to_bits(from_bits(magnitude) + 0.5f) - 0x3F000000;
    y[i] = (uint16_t)(sign | code);
  }
}

static void bf16_to_f32(const uint16_t *x, size_t n, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = from_bits((uint32_t)x[i] << 16);
}

static void f32_to_bf16(const float *x, size_t n, uint16_t *y) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = to_bits(x[i]);
    int nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    y[i] = (uint16_t)(nan ? bits >> 16 | 0x40 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
  }
}

void ck_scalar_convert(ck_table *table) {
  table->f16_to_f32 = f16_to_f32;
  table->f32_to_f16 = f32_to_f16;
  table->bf16_to_f32 = bf16_to_f32;
  table->f32_to_bf16 = f32_to_bf16;
}
