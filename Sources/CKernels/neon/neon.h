// The families of the neon level (ARMv8.2 with dot product). Advanced SIMD itself is part of every aarch64.
#ifndef CK_NEON_H
#define CK_NEON_H

#if defined(__aarch64__)
#include <arm_neon.h>

#include "../segments.h"

// clang-format off
#define CK_NEON_BEGIN _Pragma("clang attribute push(__attribute__((target(\"dotprod\"))), apply_to = function)")
// clang-format on
#define CK_NEON_END _Pragma("clang attribute pop")

void ck_neon_gemm_f32(ck_table *table);
void ck_neon_gemm_f32_rows(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1);
void ck_neon_gemm_u8s8(ck_table *table);
void ck_neon_gemm_wq(ck_table *table);
void ck_neon_gemm_u8wq(ck_table *table);
void ck_neon_depthwise_f32(ck_table *table);
void ck_neon_depthwise_u8s8(ck_table *table);
void ck_neon_codes(ck_table *table);
void ck_neon_pooling(ck_table *table);
void ck_neon_elementwise(ck_table *table);
void ck_neon_attention(ck_table *table);
void ck_neon_movement(ck_table *table);
void ck_neon_convert(ck_table *table);
void ck_neon_training(ck_table *table);
void ck_neon_peak(ck_table *table);

#endif
#endif
