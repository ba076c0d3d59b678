#include "scalar.h"

void ck_use_scalar(ck_table *table) {
  ck_scalar_gemm_f32(table);
  ck_scalar_conv3x3(table);
  ck_scalar_gemm_u8s8(table);
  ck_scalar_conv3x3_u8s8(table);
  ck_scalar_gemm_wq(table);
  ck_scalar_depthwise(table);
  ck_scalar_codes(table);
  ck_scalar_pooling(table);
  ck_scalar_elementwise(table);
  ck_scalar_normalize(table);
  ck_scalar_attention(table);
  ck_scalar_movement(table);
  ck_scalar_convert(table);
  ck_scalar_training(table);
  ck_scalar_peak(table);
}
