// The families of the avx2 level (AVX2, FMA, F16C).
#ifndef CK_AVX2_H
#define CK_AVX2_H

#if defined(__x86_64__)
#include <immintrin.h>

#include "../segments.h"

// clang-format off
#define CK_AVX2_BEGIN _Pragma("clang attribute push(__attribute__((target(\"avx2,fma,f16c\"))), apply_to = function)")
// clang-format on
#define CK_AVX2_END _Pragma("clang attribute pop")

void ck_avx2_gemm_f32(ck_table *table);
void ck_avx2_gemm_f32_rows(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1);
void ck_avx2_gemm_u8s8(ck_table *table);
void ck_avx2_conv3x3_u8s8(ck_table *table);
void ck_avx2_gemm_wq(ck_table *table);
void ck_avx2_gemm_u8wq(ck_table *table);
void ck_avx2_depthwise_f32(ck_table *table);
void ck_avx2_depthwise_u8s8(ck_table *table);
void ck_avx2_codes(ck_table *table);
void ck_avx2_pooling(ck_table *table);
void ck_avx2_elementwise(ck_table *table);
void ck_avx2_attention(ck_table *table);
void ck_avx2_movement(ck_table *table);
void ck_avx2_convert(ck_table *table);
void ck_avx2_training(ck_table *table);
void ck_avx2_peak(ck_table *table);

#endif
#endif
