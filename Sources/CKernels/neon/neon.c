#include "neon.h"

#if defined(__aarch64__)

void ck_use_neon(ck_table *table) {
  table->column_block = 8;
  ck_neon_gemm_f32(table);
  ck_neon_gemm_u8s8(table);
  ck_no_conv3x3_u8s8(table);
  ck_neon_gemm_wq(table);
  ck_neon_gemm_u8wq(table);
  ck_neon_depthwise_f32(table);
  ck_neon_depthwise_u8s8(table);
  ck_neon_codes(table);
  ck_neon_pooling(table);
  ck_neon_elementwise(table);
  ck_neon_attention(table);
  ck_neon_movement(table);
  ck_neon_convert(table);
  ck_neon_training(table);
  ck_neon_peak(table);
}

#endif
