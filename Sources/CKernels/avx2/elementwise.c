#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/elementwise.h"
#include "../vector/normalize.h"
CK_AVX2_END

void ck_avx2_elementwise(ck_table *table) {
  fill_elementwise(table);
  fill_normalize(table);
}
#endif
