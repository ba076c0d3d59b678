#include "avx2.h"

#if defined(__x86_64__)

void ck_use_avx2(ck_table *table) {
  table->column_block = 16;
  ck_avx2_gemm_f32(table);
  ck_avx2_gemm_u8s8(table);
  ck_avx2_conv3x3_u8s8(table);
  ck_avx2_gemm_wq(table);
  ck_avx2_gemm_u8wq(table);
  ck_avx2_depthwise_f32(table);
  ck_avx2_depthwise_u8s8(table);
  ck_avx2_codes(table);
  ck_avx2_pooling(table);
  ck_avx2_elementwise(table);
  ck_avx2_attention(table);
  ck_avx2_movement(table);
  ck_avx2_convert(table);
  ck_avx2_training(table);
  ck_avx2_peak(table);
}

#endif
