#include "wq.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/gemm_u8wq.h"
CK_AVX2_END

void ck_avx2_gemm_u8wq(ck_table *table) { fill_gemm_u8wq(table); }
#endif
