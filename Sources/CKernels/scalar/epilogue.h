// From one int32 sum to one output: the formulas of ck_gemm_u8s8, as they stand.
#ifndef CK_SCALAR_EPILOGUE_H
#define CK_SCALAR_EPILOGUE_H

#include "../internal.h"

#pragma clang fp contract(off)

/// `sum` is Σ a·b and `row_sum` Σ a (read only with b_zero). Sums wrap as int32 does in every level.
CK_INLINE void ck_store(const ck_epilogue *e, size_t i, size_t j, int32_t sum, int32_t row_sum) {
  uint32_t acc = (uint32_t)sum;
  uint32_t a_zero = (uint32_t)(e->a_zeros ? e->a_zeros[i] : e->a_zero);
  acc -= a_zero * (uint32_t)e->column_sums[j];
  if (e->b_zero) acc -= (uint32_t)e->b_zero[j] * ((uint32_t)row_sum - a_zero * (uint32_t)e->depth);

  if (e->output == CK_OUT_F32) {
    float scale = (e->a_scales ? e->a_scales[i] : e->a_scale) * e->multiplier[j];
    float v = (float)(int32_t)acc * scale;
    if (e->bias_f) v = v + e->bias_f[j];
    if (e->residual_f) v = v + e->residual_f[i * e->residual_stride + j];
    ((float *)e->c)[i * e->c_stride + j] = ck_clamp(v, e->lower_f, e->upper_f);
    return;
  }
  if (e->bias) acc += (uint32_t)e->bias[j];
  if (e->output == CK_OUT_S32) {
    ((int32_t *)e->c)[i * e->c_stride + j] = (int32_t)acc;
    return;
  }
  int32_t code = ck_code((float)(int32_t)acc * e->multiplier[j], e->zero, e->lower, e->upper);
  if (e->residual) {
    float branch = (float)(code - e->zero) * e->branch_multiplier;
    float other = (float)(e->residual[i * e->residual_stride + j] - e->r_zero) * e->r_multiplier;
    code = ck_code(branch + other, e->sum_zero, e->sum_lower, e->sum_upper);
  }
  ((uint8_t *)e->c)[i * e->c_stride + j] = (uint8_t)code;
}

#endif
