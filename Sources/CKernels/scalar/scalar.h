// The families of the scalar level; each fills its part of the table.
#ifndef CK_SCALAR_H
#define CK_SCALAR_H

#include "../internal.h"

void ck_scalar_gemm_f32(ck_table *table);
void ck_scalar_conv3x3(ck_table *table);
void ck_scalar_gemm_u8s8(ck_table *table);
void ck_scalar_conv3x3_u8s8(ck_table *table);
void ck_scalar_gemm_wq(ck_table *table);
void ck_scalar_depthwise(ck_table *table);
void ck_scalar_codes(ck_table *table);
void ck_scalar_pooling(ck_table *table);
void ck_scalar_elementwise(ck_table *table);
void ck_scalar_normalize(ck_table *table);
void ck_scalar_attention(ck_table *table);
void ck_scalar_movement(ck_table *table);
void ck_scalar_convert(ck_table *table);
void ck_scalar_training(ck_table *table);
void ck_scalar_peak(ck_table *table);

#endif
