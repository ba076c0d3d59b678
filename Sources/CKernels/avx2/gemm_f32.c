#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/gemm_f32.h"
#include "../vector/conv3x3.h"
CK_AVX2_END

void ck_avx2_gemm_f32(ck_table *table) {
  fill_gemm_f32(table);
  fill_conv3x3(table);
}
#endif
