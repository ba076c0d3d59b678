#include "wq.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/gemm_wq.h"
#include "fixed_wq.h"

static void gemm_wq_or_fixed(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  if (g->m > FEW || !fixed(g, m0, m1, n0, n1)) gemm_wq(g, m0, m1, n0, n1);
}
CK_AVX512_END

void ck_avx512_gemm_wq(ck_table *table) {
  fill_gemm_wq(table);
  table->gemm_wq = gemm_wq_or_fixed;
}
#endif
