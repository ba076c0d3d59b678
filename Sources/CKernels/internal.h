// What the levels share: how rows are found, and the spelling of one rounding.
#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include <string.h>

#include "include/ckernels.h"

#define CK_UNROLL _Pragma("clang loop unroll(full)")
#define CK_INLINE static inline __attribute__((always_inline))

// Each level fills in what it does better than the one below.
void ck_use_scalar(ck_table *table);
void ck_use_avx2(ck_table *table);
void ck_use_avx512vnni(ck_table *table);
void ck_use_neon(ck_table *table);

/// Any number of taps, for levels whose own kernel holds only so many.
void ck_scalar_depthwise_u8s8(const ck_depthwise_u8s8 *d, size_t m0, size_t m1);

CK_INLINE size_t ck_min(size_t a, size_t b) { return a < b ? a : b; }
CK_INLINE size_t ck_divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

/// Piece `tap` of row `i`; `size` is the bytes of an element.
CK_INLINE const void *ck_piece(const ck_rows *rows, size_t i, size_t tap, size_t size) {
  if (!rows->offsets) return (const char *)rows->a + i * rows->stride * size;
  int32_t offset = rows->offsets[i * rows->taps + tap];
  return offset < 0 ? rows->padding : (const char *)rows->a + (size_t)offset * size;
}

/// Round half to even for |v| < 2^22: the sum has no bits left below the unit.
CK_INLINE int32_t ck_rne(float v) {
  float shifted = v + 12582912.0f;
  int32_t bits;
  memcpy(&bits, &shifted, 4);
  return bits - 0x4B400000;
}

/// clamp(rne(v) + zero, lower, upper). The bounds are whole numbers, so clamping first gives the same code and keeps
/// the conversion in range; NaN gives `lower`.
CK_INLINE int32_t ck_code(float v, int32_t zero, int32_t lower, int32_t upper) {
  float low = (float)(lower - zero), high = (float)(upper - zero);
  v = v > low ? v : low;
  v = v < high ? v : high;
  return ck_rne(v) + zero;
}

/// NaN passes through.
CK_INLINE float ck_clamp(float v, float lower, float upper) {
  v = lower > v ? lower : v;
  return upper < v ? upper : v;
}

/// The keys from..<to that query i sees.
typedef struct {
  size_t from, to;
} ck_seen;
CK_INLINE ck_seen ck_seen_keys(const ck_attention_f32 *a, size_t query) {
  size_t to = a->causal ? ck_min(a->first + query + 1, a->keys) : a->keys;
  size_t end = a->first + query + 1;
  size_t from = a->window && end > a->window ? ck_min(end - a->window, to) : 0;
  return (ck_seen){from, to};
}

/// Whether a number is a float16, which then is put in `half`.
CK_INLINE int ck_exact_half(float x, uint16_t *half) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude >= 0x38800000) {  // 2^-14
    *half = (uint16_t)(sign | (magnitude - 0x38000000) >> 13);
    return magnitude < 0x47800000 && !(magnitude & 0x1FFF);
  }
  const float steps = (x < 0 ? -x : x) * 0x1p24f;  // below 1024
  *half = (uint16_t)(sign | (uint16_t)steps);
  return (float)(uint16_t)steps == steps;
}

/// How many rows of work a tile takes when `rows` are split evenly into tiles of at most `most`.
CK_INLINE size_t ck_even_tile(size_t rows, size_t most) { return ck_divide_up(rows, ck_divide_up(rows, most)); }

/// From int32 sums to outputs: the part that ck_gemm_u8s8 and ck_depthwise_u8s8 have in common.
typedef struct {
  ck_output output;
  void *c;
  size_t c_stride;
  const int32_t *column_sums, *b_zero;
  int32_t a_zero;
  const int32_t *a_zeros;
  int32_t depth;  // taps · k: products in one sum
  const int32_t *bias;
  const float *multiplier, *bias_f;
  float a_scale;
  const float *a_scales;
  const float *residual_f;
  float lower_f, upper_f;
  int32_t zero, lower, upper;
  const uint8_t *residual;
  size_t residual_stride;
  int32_t r_zero;
  float branch_multiplier, r_multiplier;
  int32_t sum_zero, sum_lower, sum_upper;
} ck_epilogue;

CK_INLINE ck_epilogue ck_epilogue_gemm(const ck_gemm_u8s8 *g) {
  return (ck_epilogue){
    g->output, g->c, g->c_stride, g->column_sums, g->b_zero, g->a_zero, g->a_zeros,
    (int32_t)(g->rows.taps * g->rows.k), g->bias, g->multiplier, g->bias_f, g->a_scale, g->a_scales, g->residual_f,
    g->lower_f, g->upper_f, g->zero, g->lower, g->upper, g->residual, g->residual_stride, g->r_zero,
    g->branch_multiplier, g->r_multiplier, g->sum_zero, g->sum_lower, g->sum_upper};
}

/// For levels whose gemm_u8s8 is as fast.
CK_INLINE void ck_no_conv3x3_u8s8(ck_table *table) {
  table->packed_bytes_3x3_u8s8 = NULL;
  table->scratch_bytes_3x3_u8s8 = NULL;
  table->pack_3x3_u8s8 = NULL;
  table->conv3x3_u8s8 = NULL;
}

CK_INLINE ck_epilogue ck_epilogue_depthwise(const ck_depthwise_u8s8 *d) {
  return (ck_epilogue){
    d->output, d->c, d->c_stride, d->column_sums, d->b_zero, d->a_zero, NULL, (int32_t)d->taps, d->bias,
    d->multiplier, d->bias_f, d->a_scale, NULL, NULL, d->lower_f, d->upper_f, d->zero, d->lower, d->upper,
    d->residual, d->residual_stride, d->r_zero, d->branch_multiplier, d->r_multiplier, d->sum_zero, d->sum_lower,
    d->sum_upper};
}

/// The outputs done in registers: those with symmetric weights. Codes also need one zero point, and multipliers so small
/// that the rounded products fit int32; packing with saturation then does most of the clamping.
typedef enum { CK_NOT_QUICK = 0, CK_QUICK_U8, CK_QUICK_SUM, CK_QUICK_F32, CK_QUICK_S32 } ck_quick;

/// How columns j..<end may be done.
CK_INLINE ck_quick ck_quick_kind(const ck_epilogue *e, size_t j, size_t end) {
  if (e->b_zero) return CK_NOT_QUICK;
  if (e->output != CK_OUT_U8) return e->output == CK_OUT_F32 ? CK_QUICK_F32 : CK_QUICK_S32;
  if (e->a_zeros) return CK_NOT_QUICK;
  int large = 0;
  for (; j < end; j++) large |= !(e->multiplier[j] > -1 && e->multiplier[j] < 1);
  if (large) return CK_NOT_QUICK;
  if (!e->residual) return CK_QUICK_U8;
  const float most = 1 << 20;
  int fits = e->branch_multiplier > -most && e->branch_multiplier < most && e->r_multiplier > -most &&
             e->r_multiplier < most;
  return fits ? CK_QUICK_SUM : CK_NOT_QUICK;
}

#endif
