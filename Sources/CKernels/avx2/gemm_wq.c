#include "wq.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/gemm_wq.h"
#include "fixed_wq.h"
#include "../vector/fixed_wq.h"
CK_AVX2_END

void ck_avx2_gemm_wq(ck_table *table) {
  fill_gemm_wq(table);
  table->gemm_wq = gemm_wq_or_fixed;
}
#endif
