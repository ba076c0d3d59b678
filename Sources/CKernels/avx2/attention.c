#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/attention.h"
#include "../vector/rows_f32.h"
CK_AVX2_END

void ck_avx2_attention(ck_table *table) {
  fill_attention(table);
  fill_rows(table);
}
#endif
