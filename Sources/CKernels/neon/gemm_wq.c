#include "wq.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/gemm_wq.h"
CK_NEON_END

void ck_neon_gemm_wq(ck_table *table) { fill_gemm_wq(table); }
#endif
