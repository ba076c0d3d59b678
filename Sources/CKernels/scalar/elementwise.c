// Elementwise float functions; the transcendental ones are the C library's.
#include <math.h>

#include "scalar.h"

static void clamp_f32(const float *x, size_t n, float lower, float upper, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = ck_clamp(x[i], lower, upper);
}

#define BINARY(name, op)                                                   \
  static void name##_f32(const float *a, const float *b, size_t n, float *y) { \
    for (size_t i = 0; i < n; i++) y[i] = a[i] op b[i];                    \
  }
BINARY(add, +)
BINARY(sub, -)
BINARY(mul, *)
BINARY(div, /)

static void add_scalar_f32(const float *a, float b, size_t n, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = a[i] + b;
}

static void mul_scalar_f32(const float *a, float b, size_t n, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = a[i] * b;
}

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }
static float hardswish(float x) { return x * ck_clamp(x * (1.0f / 6) + 0.5f, 0, 1); }

static void gelu_f32(const float *x, size_t n, int tanh_form, float *y) {
  const float root_half = 0.707106781186547524f, root_two_over_pi = 0.797884560802865356f;
  for (size_t i = 0; i < n; i++) {
    float v = x[i];
    float inner = tanh_form ? tanhf(root_two_over_pi * (v + 0.044715f * v * v * v)) : erff(v * root_half);
    y[i] = 0.5f * v * (1 + inner);
  }
}

#define UNARY(name, value)                                       \
  static void name##_f32(const float *x, size_t n, float *y) {   \
    for (size_t i = 0; i < n; i++) {                             \
      float v = x[i];                                            \
      y[i] = value;                                              \
    }                                                            \
  }
UNARY(exp, expf(v))
UNARY(tanh, tanhf(v))
UNARY(sigmoid, sigmoid(v))
UNARY(erf, erff(v))
UNARY(silu, v * sigmoid(v))
UNARY(hardswish, hardswish(v))
UNARY(sqrt, sqrtf(v))

void ck_scalar_elementwise(ck_table *table) {
  table->clamp_f32 = clamp_f32;
  table->add_f32 = add_f32;
  table->sub_f32 = sub_f32;
  table->mul_f32 = mul_f32;
  table->div_f32 = div_f32;
  table->add_scalar_f32 = add_scalar_f32;
  table->mul_scalar_f32 = mul_scalar_f32;
  table->exp_f32 = exp_f32;
  table->tanh_f32 = tanh_f32;
  table->sigmoid_f32 = sigmoid_f32;
  table->erf_f32 = erf_f32;
  table->gelu_f32 = gelu_f32;
  table->silu_f32 = silu_f32;
  table->hardswish_f32 = hardswish_f32;
  table->sqrt_f32 = sqrt_f32;
}
