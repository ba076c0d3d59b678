// Elementwise functions over vectors of any width; included by each level after its simd.h.
#include "math.h"

#define CK_UNARY(name, arguments, value)                                        \
  static void name##_f32(const float *x, size_t n, arguments float *y) {        \
    size_t i = 0;                                                               \
    for (; i + V_WIDTH <= n; i += V_WIDTH) {                                    \
      vf v = v_load(x + i);                                                     \
      v_store(y + i, value);                                                    \
    }                                                                           \
    if (i < n) {                                                                \
      vf v = v_load_n(x + i, n - i);                                            \
      v_store_n(y + i, n - i, value);                                           \
    }                                                                           \
  }
#define CK_NOTHING
#define CK_BOUNDS float lower, float upper,
CK_UNARY(clamp, CK_BOUNDS, v_min(v_set(upper), v_max(v_set(lower), v)))
CK_UNARY(exp, CK_NOTHING, v_exp(v))
CK_UNARY(tanh, CK_NOTHING, v_tanh(v))
CK_UNARY(sigmoid, CK_NOTHING, v_sigmoid(v))
CK_UNARY(erf, CK_NOTHING, v_erf(v))
CK_UNARY(gelu_exact, CK_NOTHING, v_set(0.5f) * v * (v_set(1) + v_erf(v * v_set(0.707106781f))))
CK_UNARY(gelu_tanh, CK_NOTHING,
         v_set(0.5f) * v *
           (v_set(1) + v_tanh(v_set(0.797884561f) * v_fma(v_set(0.044715f) * v * v, v, v))))
CK_UNARY(silu, CK_NOTHING, v * v_sigmoid(v))
CK_UNARY(hardswish, CK_NOTHING,
         v * v_min(v_set(1), v_max(v_set(0), v_fma(v, v_set(1.0f / 6), v_set(0.5f)))))
CK_UNARY(sqrt, CK_NOTHING, v_sqrt(v))

static void gelu_f32(const float *x, size_t n, int tanh_form, float *y) {
  if (tanh_form)
    gelu_tanh_f32(x, n, y);
  else
    gelu_exact_f32(x, n, y);
}

#define CK_BINARY(name, value)                                                  \
  static void name##_f32(const float *a, const float *b, size_t n, float *y) {  \
    size_t i = 0;                                                               \
    for (; i + V_WIDTH <= n; i += V_WIDTH) {                                    \
      vf u = v_load(a + i), v = v_load(b + i);                                  \
      v_store(y + i, value);                                                    \
    }                                                                           \
    if (i < n) {                                                                \
      vf u = v_load_n(a + i, n - i), v = v_load_n(b + i, n - i);                \
      v_store_n(y + i, n - i, value);                                           \
    }                                                                           \
  }
CK_BINARY(add, u + v)
CK_BINARY(sub, u - v)
CK_BINARY(mul, u * v)
CK_BINARY(div, u / v)

#define CK_SCALAR(name, value)                                                  \
  static void name##_scalar_f32(const float *x, float b, size_t n, float *y) {  \
    vf u = v_set(b);                                                            \
    size_t i = 0;                                                               \
    for (; i + V_WIDTH <= n; i += V_WIDTH) {                                    \
      vf v = v_load(x + i);                                                     \
      v_store(y + i, value);                                                    \
    }                                                                           \
    if (i < n) {                                                                \
      vf v = v_load_n(x + i, n - i);                                            \
      v_store_n(y + i, n - i, value);                                           \
    }                                                                           \
  }
CK_SCALAR(add, v + u)
CK_SCALAR(mul, v *u)

static void fill_elementwise(ck_table *table) {
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
