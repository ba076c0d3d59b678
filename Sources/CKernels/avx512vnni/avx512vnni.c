#include "avx512vnni.h"

#if defined(__x86_64__)

void ck_use_avx512vnni(ck_table *table) {
  table->column_block = 32;
  ck_avx512_gemm_f32(table);
  ck_avx512_gemm_u8s8(table);
  ck_no_conv3x3_u8s8(table);
  ck_avx512_gemm_wq(table);
  ck_avx512_gemm_u8wq(table);
  ck_avx512_depthwise_f32(table);
  ck_avx512_depthwise_u8s8(table);
  ck_avx512_codes(table);
  ck_avx512_pooling(table);
  ck_avx512_elementwise(table);
  ck_avx512_attention(table);
  ck_avx512_training(table);
  ck_avx512_peak(table);
}

#endif
