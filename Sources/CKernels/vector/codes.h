// Between float and codes over vectors of any width: the formulas of the scalar level, operation by operation.
#include <math.h>

#pragma clang fp contract(off)

/// What turns a scaled value into a code.
typedef struct {
  vf low, high;
  vi zero;
} v_bounds;

CK_INLINE v_bounds v_bounds_of(int32_t zero, int32_t lower, int32_t upper) {
  return (v_bounds){v_set((float)(lower - zero)), v_set((float)(upper - zero)), vi_set(zero)};
}

CK_INLINE vi v_code(vf x, const v_bounds *b) {
  return vi_add(v_to_int(v_min(v_max(x, b->low), b->high)), b->zero);
}

static void minmax_f32(const float *x, size_t n, float *lowest, float *highest) {
  vf low[2] = {v_set(INFINITY), v_set(INFINITY)}, high[2] = {v_set(-INFINITY), v_set(-INFINITY)};
  size_t i = 0;
  for (; i + 2 * V_WIDTH <= n; i += 2 * V_WIDTH)
    for (int part = 0; part < 2; part++) {
      vf v = v_load(x + i + (size_t)part * V_WIDTH);
      low[part] = v_min(v, low[part]);
      high[part] = v_max(v, high[part]);
    }
  for (; i < n; i += V_WIDTH) {
    vf v = n - i >= V_WIDTH ? v_load(x + i) : v_load_n(x + i, n - i);
    low[0] = v_min(n - i >= V_WIDTH ? v : v_first(n - i, v, low[0]), low[0]);
    high[0] = v_max(n - i >= V_WIDTH ? v : v_first(n - i, v, high[0]), high[0]);
  }
  *lowest = v_lowest(v_min(low[0], low[1]));
  *highest = v_highest(v_max(high[0], high[1]));
}

static void quantize_f32_u8(const float *x, size_t n, float scale, int32_t zero, int32_t lower, int32_t upper,
                            uint8_t *y) {
  v_bounds b = v_bounds_of(zero, lower, upper);
  vf s = v_set(scale);
  size_t i = 0;
  for (; i + V_WIDTH <= n; i += V_WIDTH) v_store_u8(y + i, v_code(v_load(x + i) / s, &b));
  if (i < n) v_store_u8_n(y + i, n - i, v_code(v_load_n(x + i, n - i) / s, &b));
}

static void dequantize_u8_f32(const uint8_t *x, size_t n, float scale, int32_t zero, float *y) {
  vf s = v_set(scale);
  vi z = vi_set(zero);
  size_t i = 0;
  for (; i + V_WIDTH <= n; i += V_WIDTH) v_store(y + i, s * v_from_int(vi_sub(v_load_u8(x + i), z)));
  if (i < n) v_store_n(y + i, n - i, s * v_from_int(vi_sub(v_load_u8_n(x + i, n - i), z)));
}

static void requantize_u8(const uint8_t *x, size_t n, int32_t x_zero, float multiplier, int32_t zero, int32_t lower,
                          int32_t upper, uint8_t *y) {
  v_bounds b = v_bounds_of(zero, lower, upper);
  vf m = v_set(multiplier);
  vi z = vi_set(x_zero);
  size_t i = 0;
  for (; i + V_WIDTH <= n; i += V_WIDTH)
    v_store_u8(y + i, v_code(v_from_int(vi_sub(v_load_u8(x + i), z)) * m, &b));
  if (i < n) v_store_u8_n(y + i, n - i, v_code(v_from_int(vi_sub(v_load_u8_n(x + i, n - i), z)) * m, &b));
}

/// y = code(f(u, v)) where u and v are a and b less their zero points.
#define CK_CODES(value)                                                           \
  v_bounds bounds = v_bounds_of(zero, lower, upper);                              \
  vi a_z = vi_set(a_zero), b_z = vi_set(b_zero);                                  \
  size_t i = 0;                                                                   \
  for (; i + V_WIDTH <= n; i += V_WIDTH) {                                        \
    vi u = vi_sub(v_load_u8(a + i), a_z), v = vi_sub(v_load_u8(b + i), b_z);      \
    v_store_u8(y + i, v_code(value, &bounds));                                    \
  }                                                                               \
  if (i < n) {                                                                    \
    vi u = vi_sub(v_load_u8_n(a + i, n - i), a_z), v = vi_sub(v_load_u8_n(b + i, n - i), b_z); \
    v_store_u8_n(y + i, n - i, v_code(value, &bounds));                           \
  }

static void add_u8(const uint8_t *a, const uint8_t *b, size_t n, int32_t a_zero, float a_multiplier, int32_t b_zero,
                   float b_multiplier, int32_t zero, int32_t lower, int32_t upper, uint8_t *y) {
  vf a_m = v_set(a_multiplier), b_m = v_set(b_multiplier);
  CK_CODES(v_from_int(u) * a_m + v_from_int(v) * b_m)
}

static void mul_u8(const uint8_t *a, const uint8_t *b, size_t n, int32_t a_zero, int32_t b_zero, float multiplier,
                   int32_t zero, int32_t lower, int32_t upper, uint8_t *y) {
  vf m = v_set(multiplier);
  CK_CODES(v_from_int(vi_mul(u, v)) * m)
}

static void fill_codes(ck_table *table) {
  table->minmax_f32 = minmax_f32;
  table->quantize_f32_u8 = quantize_f32_u8;
  table->dequantize_u8_f32 = dequantize_u8_f32;
  table->requantize_u8 = requantize_u8;
  table->add_u8 = add_u8;
  table->mul_u8 = mul_u8;
}
