// From int32 sums to outputs: every kind from memory, and the commonest from registers.
#ifndef CK_NEON_EPILOGUE_H
#define CK_NEON_EPILOGUE_H

#include "simd.h"

#if defined(__aarch64__)

#pragma clang fp contract(off)

/// Rows row..<row+count, columns column..<column+columns; the sums of row r start at sums + r · step and there are
/// whole vectors of them. row_sums (Σ a) are read only with b_zero.
void ck_neon_store(const ck_epilogue *e, const int32_t *sums, size_t step, size_t row, size_t count, size_t column,
                   size_t columns, const int32_t *row_sums);

CK_NEON_BEGIN

/// The commonest output: uint8, symmetric weights, one zero point, no residual.
CK_INLINE int ck_is_quick(const ck_epilogue *e) {
  return e->output == CK_OUT_U8 && !e->residual && !e->b_zero && !e->a_zeros;
}

/// The first `left` of four numbers at p; zeros where there are none.
CK_INLINE vi ck_four(const void *p, ptrdiff_t left) {
  return left >= V_WIDTH ? vi_load(p) : left > 0 ? vi_load_n(p, (size_t)left) : vi_set(0);
}

/// What the quick way adds to the sums of columns j…j+3 of which `left` exist: bias - a_zero · Σ b.
CK_INLINE vi ck_quick_correction(const ck_epilogue *e, int32_t a_zero, size_t j, ptrdiff_t left) {
  vi bias = e->bias ? ck_four(e->bias + j, left) : vi_set(0);
  return vmlsq_s32(bias, ck_four(e->column_sums + j, left), vi_set(a_zero));
}

/// Eight codes of corrected sums. Conversion and narrowing saturate, which does the clamping above; the clamp below is
/// in float, where it also turns NaN into the lowest code.
CK_INLINE uint8x8_t ck_quick_codes(vi first, vi second, vf first_multiplier, vf second_multiplier,
                                   const ck_epilogue *e) {
  vf low = v_set((float)(e->lower - e->zero));
  vi x = v_to_int(vmaxnmq_f32(v_from_int(first) * first_multiplier, low));
  vi y = v_to_int(vmaxnmq_f32(v_from_int(second) * second_multiplier, low));
  int16x8_t words = vcombine_s16(vqmovn_s32(x), vqmovn_s32(y));
  words = vqaddq_s16(words, vdupq_n_s16((int16_t)e->zero));
  return vmin_u8(vqmovun_s16(words), vdup_n_u8((uint8_t)e->upper));
}

CK_NEON_END

#endif
#endif
