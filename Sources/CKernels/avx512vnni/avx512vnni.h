// The families of the avx512vnni level, and what they share.
#ifndef CK_AVX512VNNI_H
#define CK_AVX512VNNI_H

#if defined(__x86_64__)
#include <immintrin.h>

#include "../segments.h"

// clang-format off
#define CK_AVX512_BEGIN _Pragma("clang attribute push(__attribute__((target(\"avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512vnni\"))), apply_to = function)")
// clang-format on
#define CK_AVX512_END _Pragma("clang attribute pop")

void ck_avx512_gemm_f32(ck_table *table);
void ck_avx512_gemm_f32_rows(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1);
void ck_avx512_gemm_u8s8(ck_table *table);
void ck_avx512_gemm_wq(ck_table *table);
void ck_avx512_gemm_u8wq(ck_table *table);
void ck_avx512_depthwise_f32(ck_table *table);
void ck_avx512_depthwise_u8s8(ck_table *table);
void ck_avx512_codes(ck_table *table);
void ck_avx512_pooling(ck_table *table);
void ck_avx512_elementwise(ck_table *table);
void ck_avx512_attention(ck_table *table);
void ck_avx512_training(ck_table *table);
void ck_avx512_peak(ck_table *table);

CK_AVX512_BEGIN
CK_INLINE __mmask16 ck_mask16(size_t n) { return (__mmask16)(n >= 16 ? 0xFFFF : (1u << n) - 1); }
CK_AVX512_END

/// Depthwise products where the windows are known; 0 when this is not the way to compute them.
int ck_avx512_depthwise_strip(const ck_depthwise_u8s8 *d, size_t m0, size_t m1);
/// The advance of ck_segments in vectors.
void ck_avx512_advance(ck_segments *s);

#endif
#endif
