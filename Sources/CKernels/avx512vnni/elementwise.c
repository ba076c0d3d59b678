#include "simd.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/elementwise.h"
#include "../vector/normalize.h"
CK_AVX512_END

void ck_avx512_elementwise(ck_table *table) {
  fill_elementwise(table);
  fill_normalize(table);
}
#endif
