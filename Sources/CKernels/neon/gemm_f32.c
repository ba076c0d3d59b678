#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/gemm_f32.h"
#include "../vector/conv3x3.h"
CK_NEON_END

void ck_neon_gemm_f32(ck_table *table) {
  fill_gemm_f32(table);
  fill_conv3x3(table);
}
#endif
