#include "wq.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/gemm_wq.h"
#include "fixed_wq.h"
#include "../vector/fixed_wq.h"
CK_AVX512_END

void ck_avx512_gemm_wq(ck_table *table) {
  fill_gemm_wq(table);
  table->gemm_wq = gemm_wq_or_fixed;
}
#endif
