#include "avx512vnni.h"

#if defined(__x86_64__)

void ck_use_avx512vnni(ck_table *table) {
  ck_avx512_gemm_f32(table);
  ck_avx512_gemm_u8s8(table);
  ck_avx512_gemm_wq(table);
}

#endif
